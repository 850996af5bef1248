"""What every call of the asyncio client needs: a channel in the event loop that is running."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
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
    from protos.numeral.v1.recognizer_pb2 import RecognizeStreamRequest
    from service.client.asking import StreamOfPictures
    from service.wire import Reading

__all__ = ["AsyncCalls"]


class AsyncCalls:
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
        """Name the server; it is reached at the first call. The arguments are those of `service.client.Recognizer`."""
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._closed = False

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    def use_token(self, token: str | None, *, token_without_tls: bool = False) -> None:
        """Send another token from the next call on, or none. Calls in flight go on with the previous one."""
        self._connection = self._connection.with_token(token, token_without_tls=token_without_tls)

    async def health(self, *, timeout: float | None = None) -> str:
        """`SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down."""
        self._connect()
        check = self._health.Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = await self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    async def close(self) -> None:
        """Close the connection; calls in flight fail."""
        self._closed = True
        if self._loop is asyncio.get_running_loop():
            await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def _stub(self) -> Any:
        self._connect()
        return self._open_stub

    def _connect(self) -> None:
        """Open a channel in the event loop that is running, unless there is one.

        Raises:
            ClosedError: The client is closed, or in use in another event loop.
        """
        if self._closed:
            raise self._closed_error()
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop and not (self._loop.is_closed() and self._process == os.getpid()):
            raise ClosedError(
                f"the client of {self.address} belongs to another event loop or process; make another one in each"
            )
        self._loop, self._process = loop, os.getpid()
        self._channel = self._connection.aio_channel()
        self._open_stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]
        self._health = HealthStub(self._channel)

    def _closed_error(self) -> ClosedError:
        return ClosedError(f"the client of {self.address} is closed; make another one")

    def _failure(self, error: grpc.RpcError, timeout: float | None) -> NumeralError:
        """The error that a call which failed with `error` becomes."""
        connected = self._channel.get_state() is grpc.ChannelConnectivity.READY
        return self._connection.translated(error, timeout, connected=connected)

    def _is_cut_off(self) -> bool:
        """Whether a canceled call was cut off by `close`: gRPC cancels calls in flight, though not their task."""
        task = asyncio.current_task()
        return self._closed and not (task and task.cancelling())

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Message, timeout: float | None) -> Any:
        options = self._connection.call_options(timeout)
        try:
            return await method(request, **options)
        except grpc.RpcError as error:
            raise self._failure(error, timeout) from error
        except asyncio.CancelledError as error:
            if self._is_cut_off():
                raise self._closed_error() from error
            raise

    async def _outcomes(
        self,
        stream: "StreamOfPictures",
        requests: "AsyncIterator[RecognizeStreamRequest]",
        options: dict[str, Any],
    ) -> "AsyncIterator[Reading | NumeralError]":
        call = self._stub.RecognizeStream(requests, **options)
        try:
            async for response in call:
                yield stream.outcome(self._connection.outcome(response.outcome))
        except grpc.RpcError as error:
            raise self._failure(error, options["timeout"]) from error
        except asyncio.CancelledError as error:
            if self._is_cut_off():
                raise self._closed_error() from error
            raise
        finally:
            call.cancel()
        if stream.raised:
            raise stream.raised
