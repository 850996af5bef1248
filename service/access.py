"""Who may call what: bearer tokens, two roles, and the interceptor that asks for them."""

import hashlib
import hmac
import logging
import re
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, TypeAlias

import grpc

from core.errors import ConfigError
from service.observer import Call, Observer

__all__ = ["Guard", "Role", "Tokens", "role_for"]

SHORTEST_TOKEN = 16
"""Characters: shorter ones can be guessed."""

LOOK_SECONDS = 1.0
"""How soon a change of the file is noticed."""


class Role(IntEnum):
    """What a token is good for; each role may do all that the ones before it may."""

    ANYBODY = 0
    PREDICT = 1
    ADMIN = 2


_METHODS: dict[str, dict[Role, tuple[str, ...]]] = {
    "grpc.health.v1.Health": {
        Role.ANYBODY: ("Check", "Watch"),  # probes carry no tokens
    },
    "grpc.reflection.v1alpha.ServerReflection": {
        Role.PREDICT: ("ServerReflectionInfo",),
    },
    "numeral.v1.Recognizer": {
        Role.PREDICT: ("Recognize", "RecognizeBatch", "RecognizeStream", "Explain", "GetModel", "SendFeedback"),
        Role.ADMIN: ("ListFeedback", "DiscardFeedback"),
    },
    "inference.GRPCInferenceService": {
        Role.PREDICT: (
            *("ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata", "ModelConfig"),
            *("ModelInfer", "ModelStreamInfer", "ModelStatistics", "RepositoryIndex"),
        ),
        Role.ADMIN: ("RepositoryModelLoad", "RepositoryModelUnload"),
    },
}

ROLES: dict[str, Role] = {
    f"/{service}/{method}": role
    for service, roles in _METHODS.items()
    for role, methods in roles.items()
    for method in methods
}
"""Which role a method needs. What is not here, such as channelz or a method that is added without a decision, needs
ADMIN."""

_log = logging.getLogger(__name__)

_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


def role_for(method: str) -> Role:
    """Which role a caller needs.

    Args:
        method: In full, e.g. `/numeral.v1.Recognizer/Recognize`.
    """
    return ROLES.get(method, Role.ADMIN)


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


@dataclass(frozen=True)
class _Refusal:
    """Why a call is not let in."""

    code: grpc.StatusCode
    sentence: str


class Guard(grpc.aio.ServerInterceptor):
    """Lets in who shows a token that is good for the method, and tells of each call that was turned away."""

    def __init__(self, tokens: Tokens, observer: Observer) -> None:
        """Guard.

        Args:
            tokens: Those that are known.
            observer: Is told of calls that are turned away; the others are told of by whoever answers them.
        """
        self._tokens = tokens
        self._observer = observer

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Look at the caller's metadata before anything of the request is read."""
        method = handler_call_details.method
        refusal = self._refusal(role_for(method), handler_call_details.invocation_metadata or ())
        if refusal is None:
            return await continuation(handler_call_details)
        return self._turned_away(method, refusal)

    def _refusal(self, needed: Role, metadata: Sequence[tuple[str, str | bytes]]) -> _Refusal | None:
        if needed is Role.ANYBODY:
            return None
        shown = next((value for key, value in metadata if key == "authorization"), None)
        if shown is None:
            sentence = "no token; send the metadata `authorization: Bearer TOKEN`"
            return _Refusal(grpc.StatusCode.UNAUTHENTICATED, sentence)
        scheme, _, token = (shown if isinstance(shown, bytes) else shown.encode()).partition(b" ")
        if scheme.lower() != b"bearer":
            sentence = "authorization is not a bearer token; send the metadata `authorization: Bearer TOKEN`"
            return _Refusal(grpc.StatusCode.UNAUTHENTICATED, sentence)
        role = self._tokens.role_of(token.strip())
        if role is Role.ANYBODY:
            return _Refusal(grpc.StatusCode.UNAUTHENTICATED, "the token is not known here; ask who runs the service")
        if role < needed:
            sentence = f"the token is good for {role.name.lower()}, and this method needs {needed.name.lower()}"
            return _Refusal(grpc.StatusCode.PERMISSION_DENIED, sentence)
        return None

    def _turned_away(self, method: str, refusal: _Refusal) -> _Handler:
        async def refuse(_requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[bytes]:
            self._observer.answered(Call(method, refusal.code, perf_counter() - start))
            await context.abort(refusal.code, refusal.sentence)
            yield b""  # type: ignore[unreachable]  # it makes the function a stream

        start = perf_counter()
        # A stream for every method: it can be ended without waiting for a first message.
        return grpc.stream_stream_rpc_method_handler(refuse)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
