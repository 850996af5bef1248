"""Access control: bearer tokens in a file, two roles, and the guard that asks for them."""

import hashlib
import hmac
import logging
import re
import stat
from pathlib import Path
from time import monotonic
from typing import Any

import grpc

from core.errors import ConfigError
from service.errors import DeniedError, UnauthenticatedError
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
    `predict` or `admin`. There may be any number of lines: to replace a token, add the new one, change the clients, and
    then remove the old one.
    """

    def __init__(self, file: str) -> None:
        """Read the file.

        Raises:
            ConfigError: It cannot be read, or any user of this machine can read it, or a line is malformed.
        """
        self._file = Path(file)
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
        found = (self._parse(line.strip(), number) for number, line in enumerate(lines, 1) if _is_entry(line))
        roles = dict(found)
        if not roles:
            raise ConfigError(f"tokens {self._file}: holds no token; expected lines such as predict:TOKEN")
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
        """Check one call; a first step of every call, see `service.api.interceptor.Step`.

        It is repeated while a stream is open, so that a token that is no longer valid ends it.

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


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
