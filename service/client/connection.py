"""What the two clients share: how a server is reached, and how its errors read."""

import json
import re
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import grpc

from core.errors import (
    ConfigError,
    NoDigitError,
    NumeralError,
    PictureError,
    PictureTooLargeError,
    PictureUnreadableError,
)
from protos.numeral.v1.recognizer_pb2 import Outcome
from service.client import answers
from service.client.failures import (
    AccessError,
    DeadlineError,
    NotFoundError,
    OverloadedError,
    RequestError,
    ServiceError,
    UnreachableError,
)
from service.wire import CANARY_KEY, ERROR_METADATA, Reading

__all__ = [
    "Connection",
]

DEFAULT_TIMEOUT = 10.0
"""Seconds."""

LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of a response: that to the largest batch has a quarter of a megabyte."""

REPEATED_BYTES = 4 * 1024 * 1024
"""Requests up to this size are kept until they are answered, so that they can be sent again."""

SERVICE_CONFIG = {
    # Where a name stands for several servers, each call goes to the next of those that answer.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            # What may be sent twice. Feedback too: the server knows what it has already.
            "name": [
                {"service": "numeral.v1.Recognizer", "method": method}
                for method in ("Recognize", "RecognizeBatch", "Explain", "GetModel", "SendFeedback")
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ],
    # Where more than about one call in ten fails, retries end: they would only add to the load.
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}
"""What gRPC itself does to reach an answer: https://github.com/grpc/proposal/blob/master/A6-client-retries.md"""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.per_rpc_retry_buffer_size", REPEATED_BYTES),
    ("grpc.max_receive_message_length", LONGEST_ANSWER),
    # Straight to the server: gRPC would send even a call to this machine through the proxy that http_proxy names.
    ("grpc.enable_http_proxy", 0),
    # During a call, a connection on which nothing moves is asked whether it still lives: a server whose machine has
    # died says no goodbye, and its address may go on being tried for minutes.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)

_SCHEME = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|vsock):")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")


@dataclass(frozen=True)
class Connection:
    """How a server is reached.

    Attributes:
        address: As the user named it.
        target: As gRPC wants it.
        timeout: Seconds that a call may take by default.
        wait_for_ready: Whether calls wait for a server that is not there yet.
        credentials: TLS; None for none.
        options: Of the channel.
        metadata: What is sent with every call.
    """

    address: str
    target: str
    timeout: float
    wait_for_ready: bool
    credentials: grpc.ChannelCredentials | None
    options: tuple[tuple[str, Any], ...]
    metadata: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def to(
        cls,
        address: str,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        wait_for_ready: bool = False,
        tls: "bool | str | PathLike[str]" = False,
        certificate: "tuple[str | PathLike[str], str | PathLike[str]] | None" = None,
        server_name: str | None = None,
        token: str | None = None,
        token_without_tls: bool = False,
        canary_key: str | None = None,
    ) -> "Connection":
        """Check what was asked for; see `service.client.blocking.Recognizer` for what each argument means.

        Raises:
            ConfigError: The arguments do not go together.
            OSError: A certificate cannot be read.
        """
        target = address if _SCHEME.match(address) else f"dns:///{address}"
        secure = tls is not False
        if not secure and (certificate or server_name):
            raise ConfigError("a client certificate and a server name are for TLS; say tls=True, or name its authority")
        options = (*OPTIONS, *((("grpc.ssl_target_name_override", server_name),) if server_name else ()))
        metadata: tuple[tuple[str, str], ...] = ()
        if token is not None:
            if not re.fullmatch(r"[!-~]+", token):
                raise ConfigError(
                    "the token is empty, or has characters that no token has; is it a file's name, or cut?"
                )
            if not (secure or token_without_tls or _on_this_machine(target)):
                raise ConfigError(
                    f"a token would go to {address} in clear, for everybody on the way to read; use tls, or say "
                    "token_without_tls=True"
                )
            metadata = (("authorization", f"Bearer {token}"),)
        if canary_key is not None:
            if not re.fullmatch(r"[ -~]+", canary_key):
                raise ConfigError(f"canary_key = {canary_key!r}, expected ASCII text, as metadata can hold no other")
            metadata += ((CANARY_KEY, canary_key),)
        credentials = _credentials(tls, certificate) if secure else None
        return cls(address, target, timeout, wait_for_ready, credentials, options, metadata)

    def call_options(self, timeout: float | None) -> dict[str, Any]:
        """What every call is made with."""
        seconds = self.timeout if timeout is None else timeout
        return {"timeout": seconds, "wait_for_ready": self.wait_for_ready, "metadata": self.metadata}

    def translated(self, error: grpc.RpcError, timeout: float | None) -> NumeralError:
        """The error that a failed call is for the user."""
        details = error.details() or "no reason given"
        trailing: Any = error.trailing_metadata() or ()  # pairs, though the type stubs do not know it
        kind = next((value for key, value in trailing if key == ERROR_METADATA), "")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineError(f"{self.address} gave no answer within {timeout or self.timeout:g} seconds")
        return self.error(error.code(), details, str(kind))

    def error(self, code: grpc.StatusCode, details: str, kind: str) -> NumeralError:
        """The error that a status is for the user.

        Args:
            code: The status code.
            details: The sentence.
            kind: The class that the server gave the error; "" where gRPC itself has failed.
        """
        match code:
            case grpc.StatusCode.INVALID_ARGUMENT:
                return _ARGUMENT_ERRORS.get(kind, PictureError)(details)
            case grpc.StatusCode.NOT_FOUND:
                return NotFoundError(f"{self.address}: {details}")
            case grpc.StatusCode.UNAVAILABLE if kind:
                return UnreachableError(f"{self.address}: {details}")
            case grpc.StatusCode.UNAVAILABLE:
                port = self.address.rpartition(":")[2]
                command = "python -m service serve" + (f" --port {port}" if port.isdigit() else "")
                return UnreachableError(f"no server answers at {self.address} ({details}); start one with: {command}")
            case grpc.StatusCode.RESOURCE_EXHAUSTED if kind:
                return OverloadedError(f"{self.address}: {details}")
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                return PictureTooLargeError(f"{self.address} takes no message of this size: {details}")
            case grpc.StatusCode.UNAUTHENTICATED | grpc.StatusCode.PERMISSION_DENIED:
                return AccessError(f"{self.address}: {details}")
            case _:
                return ServiceError(f"{self.address} failed with {code.name}: {details}")

    def outcome(self, outcome: Outcome) -> Reading | NumeralError:
        """What became of one picture of several."""
        if outcome.HasField("answer"):
            return answers.reading(outcome.answer)
        problem = outcome.problem
        return self.error(_CODES.get(problem.code, grpc.StatusCode.UNKNOWN), problem.message, problem.kind)


_ARGUMENT_ERRORS: dict[str, type[NumeralError]] = {
    kind.__name__: kind for kind in (PictureUnreadableError, PictureTooLargeError, NoDigitError, RequestError)
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _credentials(
    tls: "bool | str | PathLike[str]", certificate: "tuple[str | PathLike[str], str | PathLike[str]] | None"
) -> grpc.ChannelCredentials:
    authority = None if tls is True else Path(str(tls)).read_bytes()
    chain, key = (Path(file).read_bytes() for file in certificate) if certificate else (None, None)
    return grpc.ssl_channel_credentials(authority, key, chain)


def _on_this_machine(target: str) -> bool:
    """Whether what is sent to a target stays on this machine."""
    scheme, _, rest = target.partition(":")
    if scheme in ("unix", "unix-abstract"):
        return True
    return all(_LOOPBACK.fullmatch(place) for place in rest.removeprefix("///").split(","))
