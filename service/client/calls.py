"""What every call of the blocking client needs: a connection to the server that any number of threads share."""

from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client.connection import DEFAULT_TIMEOUT, Connection

__all__ = ["Calls"]


class Calls:
    """An open connection, and how calls are made over it."""

    def __init__(
        self,
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
    ) -> None:
        """Name the server, which is reached at the first call.

        Args:
            address: `host:port`; or a gRPC target such as `dns:///name:port`, `ipv4:10.0.0.1:8500,10.0.0.2:8500` or
                `unix:/path`. If a name stands for several servers, calls go to each in turn.
            timeout: Seconds that a call may take, including retries, unless the call sets its own.
            wait_for_ready: Whether a call waits for a server that does not listen yet, until the timeout.
            tls: True to trust the authorities that this machine trusts; a path to trust only those in this PEM file.
            certificate: The paths of the client's certificate and private key (PEM), if the server asks for one.
            server_name: The name in the server's certificate, if it differs from that of the address.
            token: Sent with every call. Without TLS, it is only sent to this machine.
            token_without_tls: Whether to send the token to other machines in clear text.
            canary_key: A name of the user or session that the calls are for, in ASCII. If a canary answers a share of
                the calls, it answers all calls with the same key, or none of them.

        Raises:
            ConfigError: The arguments contradict each other, or one is impossible.
            OSError: A certificate cannot be read.
        """
        self._connection = Connection.to(
            address,
            timeout=timeout,
            wait_for_ready=wait_for_ready,
            tls=tls,
            certificate=certificate,
            server_name=server_name,
            token=token,
            token_without_tls=token_without_tls,
            canary_key=canary_key,
        )
        self._channel = self._connection.channel()
        self._stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    def health(self, *, timeout: float | None = None) -> str:
        """Ask for the health of the server.

        Args:
            timeout: Seconds; by default the timeout of the client.

        Returns:
            `SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down.

        Raises:
            ServiceError: There is no answer; see `recognize`.
        """
        check = HealthStub(self._channel).Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def close(self) -> None:
        """Close the connection; calls in flight fail."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Any], request: Message, timeout: float | None) -> Any:
        try:
            return method(request, **self._connection.call_options(timeout))
        except grpc.RpcError as error:
            raise self._connection.translated(error, timeout) from error
