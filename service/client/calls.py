"""What every call of the blocking client needs: a connection to the server that any number of threads share."""

import threading
from collections.abc import Callable, Iterator
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client.connection import DEFAULT_TIMEOUT, Connection
from service.client.failures import ClosedError

if TYPE_CHECKING:
    from service.client.asking import StreamOfPictures
    from service.wire import Reading

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
        own_connection: bool = False,
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
            own_connection: Whether the client has a connection of its own. By default, clients of a process that reach
                the same server in the same way share one. A server with several processes answers all calls of a
                connection in one of them.

        Raises:
            ConfigError: The arguments contradict each other, one is impossible, or a certificate cannot be read.
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
            own_connection=own_connection,
        )
        self._channel = self._connection.channel()
        self._closed = False
        self._stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]
        self._health = HealthStub(self._channel)  # made now: on a closed channel, gRPC would crash the process

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    def use_token(self, token: str | None, *, token_without_tls: bool = False) -> None:
        """Send another token from the next call on, or none. Calls in flight go on with the previous one.

        Args:
            token: The token.
            token_without_tls: Whether to send it to other machines in clear text.

        Raises:
            ConfigError: It is no token, or would go to another machine in clear text.
        """
        self._connection = self._connection.with_token(token, token_without_tls=token_without_tls)

    def health(self, *, timeout: float | None = None) -> str:
        """Ask for the health of the server.

        Args:
            timeout: Seconds; by default the timeout of the client.

        Returns:
            `SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down.

        Raises:
            ServiceError: There is no answer; see `recognize`.
        """
        check = self._health.Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    def close(self) -> None:
        """Close the connection; calls in flight fail."""
        self._closed = True
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Any], request: Message, timeout: float | None) -> Any:
        options = self._connection.call_options(timeout)
        try:
            return method(request, **options)
        except grpc.RpcError as error:
            raise self._failure(error, timeout) from error
        except ValueError as error:  # gRPC's word for a channel that is closed
            raise self._closed_error() from error

    def _outcomes(
        self, stream: "StreamOfPictures", requests: Iterator[Message], timeout: float | None
    ) -> "Iterator[Reading | NumeralError]":
        """Yields the outcomes of a stream, which begins with the first one that is asked for."""
        options = self._connection.stream_options(timeout)

        def outcomes() -> "Iterator[Reading | NumeralError]":
            try:
                call = self._stub.RecognizeStream(requests, **options)
            except ValueError as error:
                raise self._closed_error() from error
            try:
                for response in call:
                    yield stream.outcome(self._connection.outcome(response.outcome))
            except grpc.RpcError as error:
                raise self._failure(error, timeout) from error
            finally:
                call.cancel()
            if stream.raised:
                raise stream.raised

        return outcomes()

    def _failure(self, error: grpc.RpcError, timeout: float | None) -> NumeralError:
        """The error that a call which failed with `error` becomes."""
        if self._closed:
            return self._closed_error()
        late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return self._connection.translated(error, timeout, connected=not late or self._is_connected())

    def _closed_error(self) -> ClosedError:
        return ClosedError(f"the client of {self.address} is closed; make another one")

    def _is_connected(self) -> bool:
        """Whether the channel has a connection to a server now."""
        states: list[grpc.ChannelConnectivity] = []
        told = threading.Event()

        def tell(state: grpc.ChannelConnectivity) -> None:
            states.append(state)
            told.set()

        self._channel.subscribe(tell)
        told.wait(1)  # it is told at once; this is for a channel that another thread closes meanwhile
        self._channel.unsubscribe(tell)
        return grpc.ChannelConnectivity.READY in states[:1]
