"""Access control: bearer tokens in a file, two roles, and the guard that asks for them."""

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
from service.api.token_terms import quota_of, terms
from service.call import client
from service.errors import DeniedError, UnauthenticatedError
from service.quota import Quota, quota
from service.roles import Role, role_for

__all__ = ["Guard", "Tokens"]

SHORTEST_TOKEN = 16
"""Characters; shorter tokens can be guessed."""

LOOK_SECONDS = 1.0
"""How often at most the file is checked for changes."""

_log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]


class Tokens:
    """The tokens in a file, as digests; the file is read again when it changes.

    Each line is `role:token` or, so that the file does not reveal the token, `role:sha256:digest`, where the role is
    `predict` or `admin`. A quota may follow, such as `rate=100 burst=200`: see `service.api.token_terms`. There may be
    any number of lines: to replace a token, add the new one, change the clients, and then remove the old one.
    """

    def __init__(self, file: str) -> None:
        """Read the file.

        Raises:
            ConfigError: It cannot be read, or any user of this machine can read it, or a line is malformed.
        """
        self._file = Path(file)
        self._quotas: dict[bytes, Quota] = {}
        self._stamp = self._look()
        self._roles = self._read()
        self._next_look = 0.0

    def role_of(self, token: bytes) -> Role:
        """The role that a token gives; ANYBODY for an unknown token."""
        self._refresh()
        # Every digest is compared, each in constant time: the duration reveals neither a token nor their number.
        digest = hashlib.sha256(token).digest()
        found = Role.ANYBODY
        for known, role in self._roles.items():
            if hmac.compare_digest(known, digest):
                found = role
        return found

    def admit(self, token: bytes) -> None:
        """Note whose call this is, and its quota: in the context of a call whose token permits it."""
        digest = hashlib.sha256(token).digest()
        client.set(digest.hex())
        quota.set(self._quotas.get(digest))

    def _refresh(self) -> None:
        """Read the file again if it has changed. A file that cannot be used changes nothing."""
        now = monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._roles = self._read()
        except ConfigError as error:
            _log.error("%s; the previous tokens remain valid", error)
        else:
            _log.info("tokens %s: read again, %d tokens are valid", self._file, len(self._roles))

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
        entries = [(number, *terms(line)) for number, line in enumerate(lines, 1) if _is_entry(line)]
        parsed = [(*self._parse(line, number), number, fields) for number, line, fields in entries]
        roles = {digest: role for digest, role, _, _ in parsed}
        if not roles:
            raise ConfigError(f"tokens {self._file}: holds no token; expected lines such as predict:TOKEN")
        self._quotas = {
            digest: found
            for digest, role, number, fields in parsed
            if (found := quota_of(role, fields, f"tokens {self._file}, line {number}", self._quotas.get(digest)))
        }
        return roles

    def _parse(self, line: str, number: int) -> tuple[bytes, Role]:
        """The digest and the role in one line. Messages never quote the line: it may hold a token."""
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
    """Refuses calls whose token does not permit the method."""

    def __init__(self, tokens: Tokens) -> None:
        """Guard the methods of a server.

        Args:
            tokens: The valid tokens.
        """
        self._tokens = tokens

    def enter(self, method: str, context: _Context) -> None:
        """Check one call; a first step of the service's own methods, see `service.api.interceptor.Step`.

        Raises:
            UnauthenticatedError: The call carries no token, or an unknown one.
            DeniedError: The token does not permit the method.
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
            raise UnauthenticatedError("the token is not known to this service; ask its operator for one")
        if role < needed:
            raise DeniedError(
                f"the token has the role {role.name.lower()}, and this method needs {needed.name.lower()}"
            )
        self._tokens.admit(token.strip())

    def wrap(self, method: str, handler: Any) -> Any:
        """A handler of one of gRPC's own methods, behind the guard; for `service.api.registrar.Registrar`."""

        async def check(context: _Context) -> None:
            try:
                self.enter(method, context)
            except UnauthenticatedError as error:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
            except DeniedError as error:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))

        if handler.unary_unary is not None:

            async def unary(request: Any, context: _Context) -> Any:
                await check(context)
                found = handler.unary_unary(request, context)
                return await found if isawaitable(found) else found

            return grpc.unary_unary_rpc_method_handler(unary, handler.request_deserializer, handler.response_serializer)

        async def stream(requests: Any, context: _Context) -> AsyncIterator[Any]:
            await check(context)
            async for response in handler.stream_stream(requests, context):
                yield response

        return grpc.stream_stream_rpc_method_handler(stream, handler.request_deserializer, handler.response_serializer)


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
