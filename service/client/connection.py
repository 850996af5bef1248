"""What the two clients share: how a server is reached, and how its outcomes and errors are translated."""

import json
import re
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import grpc

from core.errors import ConfigError, NumeralError
from protos.numeral.v1.recognizer_pb2 import Outcome
from service.client import answers
from service.client.address import on_this_machine, target_of
from service.client.arguments import seconds
from service.client.credentials import credentials
from service.client.diagnosis import failure
from service.client.failures import ArgumentError, DeadlineError
from service.roles import METHODS
from service.texts import quoted
from service.wire import CANARY_KEY, ERROR_METADATA, Reading

__all__ = ["DEFAULT_TIMEOUT", "Connection"]

DEFAULT_TIMEOUT = 10.0
"""Seconds."""

AUTHORIZATION = "authorization"
"""The metadata that carries the token."""

CONNECT_SECONDS = 4
"""After this time, an attempt to connect is given up, and another one begins."""

LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of a response; the response to the largest batch has a quarter of a megabyte."""

RETRIED_BYTES = 4 * 1024 * 1024
"""Requests up to this size are kept until they are answered, so that they can be sent again."""

SERVICE_CONFIG = {
    # If a name stands for several servers, calls go to those that answer, in turn.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [
                {"service": service, "method": name}
                for service, methods in METHODS.items()
                for name, method in methods.items()
                if method.retry
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 3,
                # CANCELLED: a server that is stopping cuts off calls in this way, and no caller has given up.
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"],
            },
        }
    ],
    # Once more than about one call in ten fails, retries are suspended: they would only add to the load.
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}
"""gRPC's own load balancing and retries: https://github.com/grpc/proposal/blob/master/A6-client-retries.md"""

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.per_rpc_retry_buffer_size", RETRIED_BYTES),
    ("grpc.max_receive_message_length", LONGEST_ANSWER),
    # gRPC would send even calls to this machine through the proxy that http_proxy names.
    ("grpc.enable_http_proxy", 0),
    # A server that is back after an outage is found within about a second. gRPC's own limit is two minutes. It adds up
    # to a fifth at random, so that the clients of a server do not all come back at the same moment.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Despite its name, this is how long one attempt to connect may take, by default 20 s: a machine that is switched
    # off does not answer at all, and when it is back, nobody may be asking. A TLS handshake has to fit in.
    ("grpc.min_reconnect_backoff_ms", CONNECT_SECONDS * 1_000),
    # A name may stand for another address after an outage; by default gRPC asks no more than every 30 s.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # During a call, an idle connection is pinged: a server whose machine has died does not close its connections, and
    # without pings, the client would wait for minutes.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass(frozen=True)
class Connection:
    """How a server is reached.

    Attributes:
        address: The address, as the user gave it.
        target: The same as gRPC needs it.
        timeout: Seconds that a call may take by default.
        wait_for_ready: Whether calls wait for a server that does not listen yet.
        credentials: TLS; None for plain text.
        options: The options of the channel.
        metadata: Sent with every call.
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
        own_connection: bool = False,
    ) -> "Connection":
        """Check the arguments, which `service.client.blocking.Recognizer` explains.

        Raises:
            ConfigError: The arguments contradict each other, or one is impossible.
        """
        target = target_of(address)
        try:
            timeout = seconds(timeout)
        except ArgumentError as error:
            raise ConfigError(str(error)) from None
        secure = tls is not False
        if not secure and (certificate or server_name):
            raise ConfigError(
                "a client certificate and a server name are for TLS; set tls=True, or tls to a file of authorities"
            )
        if not isinstance(server_name, str | None):
            raise ConfigError(f"server_name is {type(server_name).__name__}, expected text")
        options = (
            *OPTIONS,
            *((("grpc.ssl_target_name_override", server_name),) if server_name else ()),
            *((("grpc.use_local_subchannel_pool", 1),) if own_connection else ()),
        )
        metadata = _authorization(token, address, confidential=secure or token_without_tls or on_this_machine(target))
        if canary_key is not None:
            if not (isinstance(canary_key, str) and re.fullmatch(r"[ -~]+", canary_key)):
                raise ConfigError(
                    f"canary_key = {quoted(str(canary_key))}, expected ASCII text, as metadata can hold nothing else"
                )
            metadata += ((CANARY_KEY, canary_key),)
        secrets = credentials(tls, certificate) if secure else None
        return cls(address, target, timeout, bool(wait_for_ready), secrets, options, metadata)

    def with_token(self, token: str | None, *, token_without_tls: bool = False) -> "Connection":
        """The same with another token, or with none.

        Raises:
            ConfigError: It is no token, or would go to another machine in clear text.
        """
        confidential = self.credentials is not None or token_without_tls or on_this_machine(self.target)
        others = tuple(pair for pair in self.metadata if pair[0] != AUTHORIZATION)
        return replace(self, metadata=_authorization(token, self.address, confidential=confidential) + others)

    def channel(self) -> grpc.Channel:
        """A new channel to the server, for threads."""
        if self.credentials:
            return grpc.secure_channel(self.target, self.credentials, self.options)
        return grpc.insecure_channel(self.target, self.options)

    def aio_channel(self) -> grpc.aio.Channel:
        """A new channel to the server, for the running event loop."""
        if self.credentials:
            return grpc.aio.secure_channel(self.target, self.credentials, self.options)
        return grpc.aio.insecure_channel(self.target, self.options)

    def call_options(self, timeout: float | None) -> dict[str, Any]:
        """The options of every call.

        Raises:
            ArgumentError: The timeout is impossible.
        """
        limit = self.timeout if timeout is None else seconds(timeout)
        return {"timeout": limit, "wait_for_ready": self.wait_for_ready, "metadata": self.metadata}

    def stream_options(self, timeout: float | None) -> dict[str, Any]:
        """The options of a stream, which has no timeout by default.

        Raises:
            ArgumentError: The timeout is impossible.
        """
        return self.call_options(timeout) | ({"timeout": None} if timeout is None else {})

    def translated(self, error: grpc.RpcError, timeout: float | None, *, connected: bool = True) -> NumeralError:
        """The error that a failed call becomes.

        Args:
            error: What gRPC raised.
            timeout: That of the call, in seconds; None for that of the connection.
            connected: Whether there is a connection, which gRPC does not tell of a call that waited for one in vain.
        """
        details = error.details() or "no reason given"
        trailing: Any = error.trailing_metadata() or ()  # pairs, which the type stubs do not know
        kind = next((value for key, value in trailing if key == ERROR_METADATA), "")
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            late = f"{self.address} gave no answer within {timeout or self.timeout:g} seconds"
            if not connected:
                late += ": no connection could be made; is a server up at this address, and does a firewall block it?"
            return DeadlineError(late)
        return failure(self.address, error.code(), details, str(kind), tls=self.credentials is not None)

    def outcome(self, outcome: Outcome) -> Reading | NumeralError:
        """The answer to one picture of several, or its error."""
        if outcome.HasField("answer"):
            return answers.reading(outcome.answer)
        problem = outcome.problem
        code = _CODES.get(problem.code, grpc.StatusCode.UNKNOWN)
        return failure(self.address, code, problem.message, problem.kind, tls=self.credentials is not None)


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _authorization(token: str | None, address: str, *, confidential: bool) -> tuple[tuple[str, str], ...]:
    """The metadata that carries a token. Raises ConfigError."""
    if token is None:
        return ()
    if not (isinstance(token, str) and re.fullmatch(r"[!-~]+", token)):
        raise ConfigError(
            "the token is empty, or has characters that no token can have; is it a file's name, or truncated?"
        )
    if not confidential:
        raise ConfigError(
            f"a token would go to {address} in clear text, which others can read on the way; use tls, or set "
            "token_without_tls=True"
        )
    return ((AUTHORIZATION, f"Bearer {token}"),)
