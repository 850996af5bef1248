"""The client for asyncio. `service.client.Recognizer` is the same for threads, and documents each call in full.

from service.client import AsyncRecognizer

async with AsyncRecognizer("localhost:8500") as client:
    reading = await client.recognize("seven.png")
print(reading.digit, reading.confidence)
"""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2 import RecognizeStreamRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import answers, asking
from service.client.answers import Explanation, Model
from service.client.arguments import several
from service.client.connection import DEFAULT_TIMEOUT, Connection
from service.client.failures import ClosedError
from service.wire import Found, Reading

if TYPE_CHECKING:
    from service.client.pictures import Picture

__all__ = ["AsyncRecognizer"]

T = TypeVar("T")


class AsyncRecognizer:
    """A connection to one server, or to several behind one name, for the event loop in which it is first used.

    Once that event loop is closed, the client may be used in another one, and connects again.
    """

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
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._closed = False

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    async def recognize(
        self, picture: "Picture", *, model_version: str | int = "", timeout: float | None = None
    ) -> Reading:
        """Which digit does the picture show?"""
        request = await _built(asking.recognize_request, picture, model_version)
        return answers.reading(await self._call(self._stub.Recognize, request, timeout))

    async def recognize_batch(
        self, pictures: "Iterable[Picture]", *, model_version: str | int = "", timeout: float | None = None
    ) -> list[Reading | NumeralError]:
        """Which digits do the pictures show? Gives the answer to each, or its error."""
        batch = await asyncio.to_thread(asking.BatchOfPictures, pictures, model_version)
        sent = (await self._call(self._stub.RecognizeBatch, batch.request, timeout)).outcomes if batch.is_sent else ()
        return batch.in_order(map(self._connection.outcome, sent))

    def recognize_stream(
        self,
        pictures: "Iterable[Picture] | AsyncIterable[Picture]",
        *,
        model_version: str | int = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Reading | NumeralError]:
        """Which digits do any number of pictures show? Yields the answer to each, or its error, in order."""
        stream = asking.StreamOfPictures(model_version)
        options = self._connection.stream_options(timeout)
        return self._outcomes(stream, _requests(stream, several(pictures, asynchronous=True)), options)

    async def recognize_many(
        self, picture: "Picture", *, model_version: str | int = "", timeout: float | None = None
    ) -> list[Found]:
        """Which digits does the picture show, and where?"""
        request = await _built(asking.many_request, picture, model_version)
        return answers.found(await self._call(self._stub.RecognizeMany, request, timeout))

    async def explain(
        self,
        picture: "Picture",
        *,
        digit: int | None = None,
        model_version: str | int = "",
        timeout: float | None = None,
    ) -> Explanation:
        """Which pixels speak for a digit, and which against it?"""
        request = await _built(asking.explain_request, picture, digit, model_version)
        return answers.explanation(await self._call(self._stub.Explain, request, timeout))

    async def model(self, version: str | int = "", *, timeout: float | None = None) -> Model:
        """Describe a version of the model."""
        return answers.model(await self._call(self._stub.GetModel, asking.model_request(version), timeout))

    async def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows. Gives whether that is new to the service."""
        request = await _built(asking.feedback_request, picture, digit, about)
        return bool((await self._call(self._stub.SendFeedback, request, timeout)).added)

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
        self, stream: asking.StreamOfPictures, requests: AsyncIterator[RecognizeStreamRequest], options: dict[str, Any]
    ) -> AsyncIterator[Reading | NumeralError]:
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


async def _requests(
    stream: asking.StreamOfPictures, pictures: "Iterable[Picture] | AsyncIterable[Picture]"
) -> AsyncIterator[RecognizeStreamRequest]:
    try:
        async for picture in _each(pictures):
            yield await _built(stream.request, picture)
    except Exception as error:  # noqa: BLE001 — raised by the caller, where the user sees it
        stream.raised = error


async def _built(build: "Callable[..., T]", picture: "Picture", *arguments: Any) -> "T":
    """Build a request; in a thread if a file has to be read for it, or an image encoded."""
    if isinstance(picture, bytes) or hasattr(picture, "dtype"):
        return build(picture, *arguments)
    return await asyncio.to_thread(build, picture, *arguments)


async def _each(pictures: "Iterable[Picture] | AsyncIterable[Picture]") -> "AsyncIterator[Picture]":
    if isinstance(pictures, AsyncIterable):
        async for picture in pictures:
            yield picture
    else:
        for picture in pictures:
            yield picture
