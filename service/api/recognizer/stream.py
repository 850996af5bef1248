"""RecognizeStream: many requests of one client in flight at once, answered in their order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import NumeralError, PictureError
from protos.numeral.v1.recognizer_pb2 import Outcome, RecognizeStreamRequest, RecognizeStreamResponse
from service.api.recognizer import convert
from service.api.recognizer.outcomes import ReplyIds, problem, put_answer
from service.api.text_limits import LONGEST_TEXT, check_texts
from service.errors import StoppingError
from service.recognition.answer import Answer
from service.recognition.recognize import Recognition

__all__ = ["Conversation"]

DECODING = 8
"""Encoded pictures of one stream that are decoded at once: enough for every core, and no more than a fair share."""


@dataclass(slots=True)
class _Request:
    """One request that was read. Of the last three fields, one is set.

    Attributes:
        id: The client's name for it.
        wanted: The version that it asks for.
        want_pixels: Whether its answer is to contain the picture as the network saw it.
        image: Its picture, if it is a framed image, (28, 28).
        decoding: The task that decodes its picture and computes its outcome, if it is an encoded one.
        outcome: Why it cannot be answered at all. The error itself is not kept: it would keep the whole request.
    """

    id: str
    wanted: str = ""
    want_pixels: bool = False
    image: NDArray[np.uint8] | None = None
    decoding: asyncio.Task[Outcome] | None = None
    outcome: Outcome | None = None


class _Arrived:
    """The requests that were read and have not been taken up yet."""

    def __init__(self) -> None:
        self._requests: list[_Request] = []
        self._news = asyncio.Event()
        self._ended = False

    def put(self, request: _Request) -> None:
        """Add a request."""
        self._requests.append(request)
        self._news.set()

    def end(self) -> None:
        """Take note that no more requests will come."""
        self._ended = True
        self._news.set()

    async def take(self) -> list[_Request]:
        """All requests that have arrived, at least one; an empty list at the end."""
        while not self._requests and not self._ended:
            self._news.clear()
            await self._news.wait()
        taken, self._requests = self._requests, []
        return taken


class Conversation:
    """One stream.

    A task goes on reading while answers are computed and sent, as far as there is room: see `service.api.requests`. All
    that has arrived meanwhile is then computed together, so batches grow with the speed of the client, and a lone
    request does not wait. Encoded pictures are decoded as soon as they are read.
    """

    def __init__(self, recognition: Recognition, ids: ReplyIds) -> None:
        """Read nothing yet: see `responses`.

        Args:
            recognition: Computes the answers.
            ids: Gives the answers their ids.
        """
        self._recognition = recognition
        self._ids = ids
        self._arrived = _Arrived()
        self._decoding = asyncio.Semaphore(DECODING)
        self._in_flight: set[asyncio.Task[Outcome]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._stopping = False

    def stop(self) -> None:
        """Stop reading: the requests that were read are answered, and then the stream ends."""
        self._stopping = True
        self._arrived.end()
        if self._reading:
            self._reading.cancel()

    async def responses(
        self, requests: AsyncIterator[RecognizeStreamRequest]
    ) -> AsyncGenerator[RecognizeStreamResponse, None]:
        """A response for each request, in their order.

        Raises:
            StoppingError: The server is stopping.
            Exception: What broke the stream of requests, once the requests before it are answered.
        """
        reading = self._reading = asyncio.create_task(self._read(requests))
        try:
            while batch := await self._arrived.take():
                for request, outcome in zip(batch, await self._outcomes(batch), strict=True):
                    yield RecognizeStreamResponse(outcome=outcome, id=request.id)
            if self._stopping:
                raise StoppingError
            await reading
        finally:  # tasks are left only if the client has gone
            reading.cancel()
            for task in self._in_flight:
                task.cancel()

    async def _read(self, requests: AsyncIterator[RecognizeStreamRequest]) -> None:
        try:
            async for message in requests:
                self._arrived.put(self._begin(message))
                del message  # it may be large, and the next one may be long in coming
        finally:
            self._arrived.end()

    def _begin(self, message: RecognizeStreamRequest) -> _Request:
        request = message.request
        begun = _Request(message.id[:LONGEST_TEXT])
        try:
            check_texts(message, message.ByteSize())
            begun.wanted, begun.want_pixels = request.model_version, request.want_pixels
            picture = convert.picture_of(request)
        except NumeralError as error:
            begun.outcome = problem(error)
            return begun
        if isinstance(picture, bytes):
            begun.decoding = asyncio.create_task(self._encoded(picture, begun.wanted, begun.want_pixels))
            self._in_flight.add(begun.decoding)
            begun.decoding.add_done_callback(self._in_flight.discard)
        else:
            begun.image = picture
        return begun

    async def _encoded(self, picture: bytes, wanted: str, want_pixels: bool) -> Outcome:
        async with self._decoding:
            try:
                answer, (found,) = await self._recognition.encoded([picture], wanted=wanted)
            except NumeralError as failure:
                return problem(failure)
        if isinstance(found, PictureError):
            return problem(found)
        return self._outcome(answer, 0, found if want_pixels else None)

    async def _outcomes(self, batch: list[_Request]) -> list[Outcome]:
        """The outcome of each request: images that ask for the same version are computed together."""
        framed: dict[str, list[_Request]] = {}
        for request in batch:
            if request.image is not None:
                framed.setdefault(request.wanted, []).append(request)
        computed = {wanted: iter(await self._images(requests, wanted)) for wanted, requests in framed.items()}
        outcomes = []
        for request in batch:
            if request.image is not None:
                outcomes.append(next(computed[request.wanted]))
            elif request.decoding is not None:
                outcomes.append(await request.decoding)
            else:
                assert request.outcome is not None  # noqa: S101 — one of the three is set
                outcomes.append(request.outcome)
        return outcomes

    async def _images(self, requests: list[_Request], wanted: str) -> list[Outcome]:
        images = [request.image for request in requests if request.image is not None]
        try:
            answer = await self._recognition.images(np.stack(images), wanted=wanted)
        except NumeralError as error:
            return [problem(error)] * len(images)
        return [
            self._outcome(answer, row, request.image if request.want_pixels else None)
            for row, request in enumerate(requests)
        ]

    def _outcome(self, answer: Answer, row: int, image: NDArray[np.uint8] | None) -> Outcome:
        outcome = Outcome()
        put_answer(outcome.answer, answer, row, self._ids, image)
        return outcome
