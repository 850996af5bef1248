"""The client for asyncio. `service.client.Recognizer` is the same for threads, and documents each call in full.

from service.client import AsyncRecognizer

async with AsyncRecognizer("localhost:8500") as client:
    reading = await client.recognize("seven.png")
print(reading.digit, reading.confidence)
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import grpc
from google.protobuf.message import Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2 import GetModelRequest, RecognizeStreamRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import answers, asking
from service.client.answers import Explanation, Model
from service.client.connection import DEFAULT_TIMEOUT, Connection
from service.wire import Found, Reading

if TYPE_CHECKING:
    from service.client.asking import Picture

__all__ = ["AsyncRecognizer"]

T = TypeVar("T")


class AsyncRecognizer:
    """A connection to one server, or to several behind one name, in the event loop that is running."""

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
        self._channel = self._connection.aio_channel()
        self._stub = RecognizerStub(self._channel)  # type: ignore[no-untyped-call]

    @property
    def address(self) -> str:
        """The address, as it was given."""
        return self._connection.address

    async def recognize(self, picture: "Picture", *, model_version: str = "", timeout: float | None = None) -> Reading:
        """Which digit does the picture show?"""
        request = await _built(asking.recognize_request, picture, model_version)
        return answers.reading(await self._call(self._stub.Recognize, request, timeout))

    async def recognize_batch(
        self, pictures: "Iterable[Picture]", *, model_version: str = "", timeout: float | None = None
    ) -> list[Reading | NumeralError]:
        """Which digits do the pictures show? Gives the answer to each, or its error."""
        request = await asyncio.to_thread(asking.batch_request, pictures, model_version)
        response = await self._call(self._stub.RecognizeBatch, request, timeout)
        return [self._connection.outcome(outcome) for outcome in response.outcomes]

    async def recognize_stream(
        self,
        pictures: "Iterable[Picture] | AsyncIterable[Picture]",
        *,
        model_version: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[Reading | NumeralError]:
        """Which digits do any number of pictures show? Yields the answer to each, or its error, in order."""
        failures: list[Exception] = []

        async def requests() -> AsyncIterator[RecognizeStreamRequest]:
            try:
                async for picture in _each(pictures):
                    request = await _built(asking.recognize_request, picture, model_version)
                    yield RecognizeStreamRequest(request=request)
            except Exception as error:  # noqa: BLE001 — raised below, in the caller's own context
                failures.append(error)

        call = self._stub.RecognizeStream(requests(), **self._connection.call_options(None) | {"timeout": timeout})
        try:
            async for response in call:
                yield self._connection.outcome(response.outcome)
        except grpc.RpcError as error:
            raise self._connection.translated(error, timeout) from error
        finally:
            call.cancel()
        if failures:
            raise failures[0]

    async def recognize_many(
        self, picture: "Picture", *, model_version: str = "", timeout: float | None = None
    ) -> list[Found]:
        """Which digits does the picture show, and where?"""
        request = await _built(asking.many_request, picture, model_version)
        return answers.found(await self._call(self._stub.RecognizeMany, request, timeout))

    async def explain(
        self, picture: "Picture", *, digit: int | None = None, model_version: str = "", timeout: float | None = None
    ) -> Explanation:
        """Which pixels speak for a digit, and which against it?"""
        request = await _built(asking.explain_request, picture, digit, model_version)
        return answers.explanation(await self._call(self._stub.Explain, request, timeout))

    async def model(self, version: str = "", *, timeout: float | None = None) -> Model:
        """Describe a version of the model."""
        return answers.model(await self._call(self._stub.GetModel, GetModelRequest(model_version=version), timeout))

    async def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows. Gives whether that is new to the service."""
        request = await _built(asking.feedback_request, picture, digit, about)
        return bool((await self._call(self._stub.SendFeedback, request, timeout)).added)

    async def health(self, *, timeout: float | None = None) -> str:
        """`SERVING`, or `NOT_SERVING` before a model is loaded and while the server shuts down."""
        check = HealthStub(self._channel).Check  # type: ignore[attr-defined]  # its type stubs leave the methods out
        response = await self._call(check, HealthCheckRequest(), timeout)
        return HealthCheckResponse.ServingStatus.Name(response.status)

    async def close(self) -> None:
        """Close the connection; calls in flight fail."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Message, timeout: float | None) -> Any:
        try:
            return await method(request, **self._connection.call_options(timeout))
        except grpc.RpcError as error:
            raise self._connection.translated(error, timeout) from error


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
