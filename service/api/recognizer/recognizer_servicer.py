"""The servicer of numeral.v1.Recognizer: it converts, calls and converts back, and decides nothing."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import numpy as np

from core.errors import PictureError
from protos.numeral.v1.recognizer_pb2 import (
    AcceptFeedbackRequest,
    AcceptFeedbackResponse,
    Box,
    DiscardFeedbackRequest,
    DiscardFeedbackResponse,
    ExplainRequest,
    ExplainResponse,
    GetCardRequest,
    GetCardResponse,
    GetModelRequest,
    GetModelResponse,
    ListFeedbackRequest,
    ListFeedbackResponse,
    LookInsideRequest,
    LookInsideResponse,
    PinVersionRequest,
    PinVersionResponse,
    RecognizeBatchRequest,
    RecognizeBatchResponse,
    RecognizeManyRequest,
    RecognizeManyResponse,
    RecognizeRequest,
    RecognizeResponse,
    RecognizeStreamRequest,
    RecognizeStreamResponse,
    SendFeedbackRequest,
    SendFeedbackResponse,
)
from service.api.recognizer import convert
from service.api.recognizer.levels import stage_message
from service.api.recognizer.outcomes import ReplyIds, batch_response, put_answer
from service.api.recognizer.paging import page_size
from service.api.recognizer.repository_methods import RepositoryMethods
from service.api.recognizer.stream import Conversation
from service.errors import RequestError
from service.recognition.answer import Answer
from service.recognition.feedback import Feedback
from service.recognition.looking import explain, look_inside
from service.recognition.recognize import Recognition
from service.versions.catalog import Catalog
from service.versions.documents import Documents

__all__ = ["RecognizerServicer"]

LONGEST_REPLY_ID = 64
"""Characters."""

_Context = grpc.aio.ServicerContext[Any, Any]


class RecognizerServicer(RepositoryMethods):
    """numeral.v1.Recognizer, see the .proto file."""

    def __init__(
        self,
        recognition: Recognition,
        feedback: Feedback,
        documents: Documents,
        catalog: Catalog,
        *,
        pin: Callable[[str], Awaitable[str]],
        max_batch: int,
    ) -> None:
        """Answer calls.

        Args:
            recognition: Computes the answers.
            feedback: Stores the true digits.
            documents: Reads the documents of versions.
            catalog: Lists versions and moves.
            pin: Pins a version; see `service.versions.control.Control`.
            max_batch: The most pictures in one call of RecognizeBatch.
        """
        super().__init__(documents, catalog)
        self._recognition = recognition
        self._feedback = feedback
        self._pin = pin
        self._max_batch = max_batch
        self._ids = ReplyIds()
        self._conversations: set[Conversation] = set()

    def drain(self) -> None:
        """End the streams once the requests that were read are answered: a client may keep a stream open for days."""
        for conversation in self._conversations:
            conversation.stop()

    async def Recognize(self, request: RecognizeRequest, _context: _Context) -> RecognizeResponse:  # noqa: N802 — here and below: the names in the .proto file
        """Recognize the digit in one picture."""
        picture, wanted = convert.picture_of(request), request.model_version
        if isinstance(picture, bytes):
            answer, (image,) = await self._recognition.encoded([picture], wanted=wanted)
            if isinstance(image, PictureError):
                raise image
        else:
            answer, image = await self._recognition.call(picture[np.newaxis], wanted=wanted), picture
        response = RecognizeResponse()
        put_answer(response, answer, 0, self._ids, image if request.want_pixels else None)
        return response

    async def RecognizeBatch(self, request: RecognizeBatchRequest, _context: _Context) -> RecognizeBatchResponse:  # noqa: N802
        """Recognize the digit in each of several pictures."""
        if not 1 <= len(request.pictures) <= self._max_batch:
            raise RequestError(f"a batch of {len(request.pictures):,} pictures; expected 1 to {self._max_batch:,}")
        framed = convert.framed(request.pictures)
        if framed is not None:
            answer = await self._recognition.call(framed, wanted=request.model_version)
            return batch_response(answer, {}, self._ids)
        pictures = [convert.picture_or_error(message) for message in request.pictures]
        answer, found = await self._recognition.encoded(pictures, wanted=request.model_version)
        errors = {index: item for index, item in enumerate(found) if isinstance(item, PictureError)}
        return batch_response(answer, errors, self._ids)

    async def RecognizeStream(  # noqa: N802
        self, requests: AsyncIterator[RecognizeStreamRequest], _context: _Context
    ) -> AsyncGenerator[RecognizeStreamResponse, None]:
        """Recognize the digits in a stream of pictures."""
        conversation = Conversation(self._recognition, self._ids)
        self._conversations.add(conversation)
        try:
            async with aclosing(conversation.responses(requests)) as responses:
                async for response in responses:
                    yield response
        finally:
            self._conversations.discard(conversation)

    async def RecognizeMany(self, request: RecognizeManyRequest, _context: _Context) -> RecognizeManyResponse:  # noqa: N802
        """Recognize all the digits in one picture."""
        many = await self._recognition.many(convert.picture_of(request), wanted=request.model_version)
        response = RecognizeManyResponse(width=many.size[0], height=many.size[1])
        for row, box in enumerate(many.boxes):
            digit = response.digits.add(box=Box(**box._asdict()))
            put_answer(digit.answer, many.answer, row, self._ids)
        return response

    async def Explain(self, request: ExplainRequest, _context: _Context) -> ExplainResponse:  # noqa: N802
        """Show which pixels speak for a digit."""
        digit = _digit(request.digit) if request.HasField("digit") else None
        picture, wanted = convert.picture_of(request), request.model_version
        loaded, image, saliency = await explain(self._recognition, picture, digit, wanted=wanted)
        response = ExplainResponse(
            digit=saliency.digit, saliency=saliency.gradient.ravel().tolist(), pixels=image.tobytes()
        )
        put_answer(response.answer, Answer(loaded, saliency.answers), 0, self._ids)
        return response

    async def LookInside(self, request: LookInsideRequest, _context: _Context) -> LookInsideResponse:  # noqa: N802
        """Show what each layer makes of a picture."""
        picture, wanted = convert.picture_of(request), request.model_version
        looked = await look_inside(self._recognition, picture, stage_message, wanted=wanted)
        loaded, image, (answers, stages) = looked
        response = LookInsideResponse(pixels=image.tobytes(), stages=stages)
        put_answer(response.answer, Answer(loaded, answers), 0, self._ids)
        return response

    async def GetModel(self, request: GetModelRequest, _context: _Context) -> GetModelResponse:  # noqa: N802
        """Describe a version."""
        store = self._recognition.store
        loaded = store.choose(request.model_version)
        return convert.model(loaded, store.names(loaded))

    async def GetCard(self, request: GetCardRequest, _context: _Context) -> GetCardResponse:  # noqa: N802
        """The card of a version."""
        found = await self._documents.card(request.model_version)
        return GetCardResponse(markdown=found.content.decode(errors="replace"), model_version=found.version)

    async def PinVersion(self, request: PinVersionRequest, _context: _Context) -> PinVersionResponse:  # noqa: N802
        """Have one version answer the calls that name none."""
        return PinVersionResponse(model_version=await self._pin(request.model_version))

    async def SendFeedback(self, request: SendFeedbackRequest, _context: _Context) -> SendFeedbackResponse:  # noqa: N802
        """Store the digit that a picture really shows."""
        if not request.HasField("digit"):
            raise RequestError("the request has no digit; set `digit`, 0 to 9, to what the picture really shows")
        if len(request.reply_id) > LONGEST_REPLY_ID:
            raise RequestError(
                f"reply_id: {len(request.reply_id):,} characters, expected at most {LONGEST_REPLY_ID}; "
                "send the reply_id of the answer, or none"
            )
        name, added = await self._feedback.send(convert.picture_of(request), _digit(request.digit), request.reply_id)
        return SendFeedbackResponse(item=name, added=added)

    async def ListFeedback(self, request: ListFeedbackRequest, _context: _Context) -> ListFeedbackResponse:  # noqa: N802
        """List the feedback that was collected."""
        listed, after = await self._feedback.page(page_size(request.page_size), request.page)
        return ListFeedbackResponse(items=map(convert.feedback_item, listed), next_page=after)

    async def DiscardFeedback(self, request: DiscardFeedbackRequest, _context: _Context) -> DiscardFeedbackResponse:  # noqa: N802
        """Remove an item of feedback."""
        await self._feedback.discard(request.item)
        return DiscardFeedbackResponse()

    async def AcceptFeedback(self, request: AcceptFeedbackRequest, _context: _Context) -> AcceptFeedbackResponse:  # noqa: N802
        """Mark an item of feedback as looked at and right."""
        await self._feedback.accept(request.item)
        return AcceptFeedbackResponse()


def _digit(digit: int) -> int:
    if not 0 <= digit <= 9:
        raise RequestError(f"digit: {digit}, expected 0 to 9")
    return digit
