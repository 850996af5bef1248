"""The client for asyncio. `service.client.Recognizer` is the same for threads, and documents each call in full.

from service.client import AsyncRecognizer

async with AsyncRecognizer("localhost:8500") as client:
    reading = await client.recognize("seven.png")
print(reading.digit, reading.confidence)
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import NumeralError
from protos.numeral.v1.recognizer_pb2 import RecognizeStreamRequest
from service.client import answers, asking
from service.client.aio_admin_calls import AsyncAdminCalls
from service.client.aio_version_calls import AsyncVersionCalls
from service.client.answers import Explanation, Model
from service.client.arguments import several
from service.client.looked import Inside, inside
from service.wire import Found, Reading

if TYPE_CHECKING:
    from service.client.pictures import Picture

__all__ = ["AsyncRecognizer"]

T = TypeVar("T")


class AsyncRecognizer(AsyncAdminCalls, AsyncVersionCalls):
    """A connection to one server, or to several behind one name, for the event loop in which it is first used.

    Once that event loop is closed, the client may be used in another one, and connects again.
    """

    async def recognize(
        self,
        picture: "Picture",
        *,
        model_version: str | int = "",
        want_pixels: bool = False,
        timeout: float | None = None,
    ) -> Reading:
        """Which digit does the picture show?"""
        request = await _built(asking.recognize_request, picture, model_version, want_pixels)
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
        want_pixels: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[Reading | NumeralError]:
        """Which digits do any number of pictures show? Yields the answer to each, or its error, in order."""
        stream = asking.StreamOfPictures(model_version, want_pixels)
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

    async def look_inside(
        self, picture: "Picture", *, model_version: str | int = "", timeout: float | None = None
    ) -> Inside:
        """What does each layer of the network make of the picture?"""
        request = await _built(asking.inside_request, picture, model_version)
        return inside(await self._call(self._stub.LookInside, request, timeout))

    async def model(self, version: str | int = "", *, timeout: float | None = None) -> Model:
        """Describe a version of the model."""
        return answers.model(await self._call(self._stub.GetModel, asking.model_request(version), timeout))

    async def card(self, version: str | int = "", *, timeout: float | None = None) -> str:
        """The card of a version: what it is, how well it does and where it fails, in Markdown."""
        return str((await self._call(self._stub.GetCard, asking.card_request(version), timeout)).markdown)

    async def send_feedback(
        self, picture: "Picture", digit: int, *, about: Reading | None = None, timeout: float | None = None
    ) -> bool:
        """Tell the service which digit a picture really shows. Gives whether that is new to the service."""
        request = await _built(asking.feedback_request, picture, digit, about)
        return bool((await self._call(self._stub.SendFeedback, request, timeout)).added)


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
