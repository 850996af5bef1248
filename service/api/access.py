"""Who may call what: bearer tokens, two roles, and the guard that asks for them."""

import hashlib
import hmac
import logging
import re
import stat
from collections.abc import AsyncIterator
from inspect import isawaitable
from pathlib import Path
from time import monotonic
from typing import Any

import grpc

from core.errors import ConfigError
from service.errors import DeniedError, UnauthenticatedError
from service.roles import Role, role_for

__all__ = [
    "Guard",
    "Tokens",
]

SHORTEST_TOKEN = 16
"""Characters: shorter ones can be guessed."""

LOOK_SECONDS = 1.0
"""How soon a change of the file is noticed."""


_log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]


class Tokens:
    """The tokens in a file, by their digests; read again when it changes.

    Each line is `role:token` or, so that the file itself tells no token, `role:sha256:digest`, where the role is
    `predict` or `admin`. Any number of lines: to change a token, add the new one, change the clients, take out the old.
    """

    def __init__(self, file: str) -> None:
        """Read the file.

        Raises:
            ConfigError: It cannot be read, any user of this machine can read it, or a line is not as it must be.
        """
        self._file = Path(file)
        self._seen = self._look()
        self._roles = self._read()
        self._next_look = 0.0

    def role_of(self, token: bytes) -> Role:
        """What a token is good for; ANYBODY where it is not known."""
        self._follow()
        # Digests, not tokens, are compared: all of them, and each in constant time. How long it takes tells nothing of
        # a token, nor of how many are known.
        digest = hashlib.sha256(token).digest()
        found = Role.ANYBODY
        for known, role in self._roles.items():
            if hmac.compare_digest(known, digest):
                found = role
        return found

    def _follow(self) -> None:
        """Read the file again if it has changed; one that cannot be used changes nothing."""
        now = monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._roles = self._read()
        except ConfigError as error:
            _log.error("%s; the tokens before it go on being taken", error)
        else:
            _log.info("tokens %s were read again: %d are known", self._file, len(self._roles))

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._file.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode

    def _read(self) -> dict[bytes, Role]:
        try:
            mode = self._file.stat().st_mode
            lines = self._file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"tokens {self._file}: cannot be read: {_reason(error)}") from error
        if mode & stat.S_IROTH:
            raise ConfigError(f"tokens {self._file}: any user of this machine can read it; run: chmod o= {self._file}")
        found = (self._parse(line.strip(), number) for number, line in enumerate(lines, 1) if _says_something(line))
        roles = dict(found)
        if not roles:
            raise ConfigError(f"tokens {self._file}: holds no token; expected lines such as predict:TOKEN")
        return roles

    def _parse(self, line: str, number: int) -> tuple[bytes, Role]:
        """One line. What is wrong is said without quoting it, for it may hold a token."""
        place = f"tokens {self._file}, line {number}"
        name, _, token = line.partition(":")
        role = {"predict": Role.PREDICT, "admin": Role.ADMIN}.get(name)
        if role is None or not token:
            raise ConfigError(f"{place}: expected predict:TOKEN or admin:TOKEN")
        scheme, _, digest = token.partition(":")
        if scheme == "sha256":
            if not re.fullmatch(r"[0-9a-f]{64}", digest):
                raise ConfigError(f"{place}: expected 64 hexadecimal digits in lower case after sha256:")
            return bytes.fromhex(digest), role
        if len(token) < SHORTEST_TOKEN or not token.isascii() or any(c.isspace() for c in token):
            raise ConfigError(f"{place}: expected a token of at least {SHORTEST_TOKEN} ASCII characters without spaces")
        return hashlib.sha256(token.encode()).digest(), role


class Guard:
    """Lets in who shows a token that is good for the method."""

    def __init__(self, tokens: Tokens) -> None:
        """Guard.

        Args:
            tokens: Those that are known.
        """
        self._tokens = tokens

    def enter(self, method: str, context: _Context) -> None:
        """The step of one of our own methods.

        Raises:
            UnauthenticatedError: No token, or one that is not known.
            DeniedError: A token that is not good for the method.
        """
        needed = role_for(method)
        if needed is Role.ANYBODY:
            return
        shown = next((value for key, value in context.invocation_metadata() or () if key == "authorization"), None)
        if shown is None:
            raise UnauthenticatedError("no token; send the metadata `authorization: Bearer TOKEN`")
        scheme, _, token = (shown if isinstance(shown, bytes) else shown.encode()).partition(b" ")
        if scheme.lower() != b"bearer":
            raise UnauthenticatedError(
                "authorization is not a bearer token; send the metadata `authorization: Bearer TOKEN`"
            )
        role = self._tokens.role_of(token.strip())
        if role is Role.ANYBODY:
            raise UnauthenticatedError("the token is not known here; ask who runs the service")
        if role < needed:
            raise DeniedError(f"the token is good for {role.name.lower()}, and this method needs {needed.name.lower()}")

    def around(self, method: str, handler: Any) -> Any:
        """The handler of one of gRPC's own methods, behind the guard. For `service.api.status.Registrar`."""

        async def turned_away(context: _Context) -> None:
            try:
                self.enter(method, context)
            except UnauthenticatedError as error:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
            except DeniedError as error:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))

        if handler.unary_unary is not None:

            async def one(request: Any, context: _Context) -> Any:
                await turned_away(context)
                found = handler.unary_unary(request, context)
                return await found if isawaitable(found) else found

            return grpc.unary_unary_rpc_method_handler(one, handler.request_deserializer, handler.response_serializer)

        async def many(requests: Any, context: _Context) -> AsyncIterator[Any]:
            await turned_away(context)
            async for response in handler.stream_stream(requests, context):
                yield response

        return grpc.stream_stream_rpc_method_handler(many, handler.request_deserializer, handler.response_serializer)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
