"""The servicer of numeral.v1.Recognizer: it converts, calls and converts back, and decides nothing."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
import numpy as np

from protos.numeral.v1 import recognizer_pb2_grpc
from protos.numeral.v1.recognizer_pb2 import (
    Box,
    DiscardFeedbackRequest,
    DiscardFeedbackResponse,
    ExplainRequest,
    ExplainResponse,
    GetModelRequest,
    GetModelResponse,
    ListFeedbackRequest,
    ListFeedbackResponse,
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
from service.api.recognizer.outcomes import ReplyIds, batch_response, put_answer
from service.api.recognizer.stream import Conversation
from service.errors import RequestError
from service.recognition.answer import Answer
from service.recognition.feedback import Feedback
from service.recognition.recognize import Recognition

__all__ = ["RecognizerServicer"]

MAX_PAGE, DEFAULT_PAGE = 1000, 100
"""Items of feedback in one response: the most, and the number if the request names none."""

LONGEST_REPLY_ID = 64
"""Characters."""

_Context = grpc.aio.ServicerContext[Any, Any]


class RecognizerServicer(recognizer_pb2_grpc.RecognizerServicer):
    """numeral.v1.Recognizer, see the .proto file."""

    def __init__(self, recognition: Recognition, feedback: Feedback, *, max_batch: int) -> None:
        """Answer calls.

        Args:
            recognition: Computes the answers.
            feedback: Stores the true digits.
            max_batch: The most pictures in one call of RecognizeBatch.
        """
        self._recognition = recognition
        self._feedback = feedback
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
            answer, (error,) = await self._recognition.encoded([picture], wanted=wanted)
            if error is not None:
                raise error
        else:
            answer = await self._recognition.call(picture[np.newaxis], wanted=wanted)
        response = RecognizeResponse()
        put_answer(response, answer, 0, self._ids)
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
        errors = {index: error for index, error in enumerate(found) if error is not None}
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
        loaded, image, saliency = await self._recognition.explain(picture, digit, wanted=wanted)
        response = ExplainResponse(
            digit=saliency.digit, saliency=saliency.gradient.ravel().tolist(), pixels=image.tobytes()
        )
        put_answer(response.answer, Answer(loaded, saliency.answers), 0, self._ids)
        return response

    async def GetModel(self, request: GetModelRequest, _context: _Context) -> GetModelResponse:  # noqa: N802
        """Describe a version."""
        store = self._recognition.store
        loaded = store.choose(request.model_version)
        return convert.model(loaded, store.names(loaded))

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
        size = min(request.page_size or DEFAULT_PAGE, MAX_PAGE)
        if size < 0:
            raise RequestError(f"page_size: {size}, expected 1 to {MAX_PAGE:,}, or 0 for {DEFAULT_PAGE}")
        listed, after = await self._feedback.page(size, request.page)
        return ListFeedbackResponse(items=map(convert.feedback_item, listed), next_page=after)

    async def DiscardFeedback(self, request: DiscardFeedbackRequest, _context: _Context) -> DiscardFeedbackResponse:  # noqa: N802
        """Remove an item of feedback."""
        await self._feedback.discard(request.item)
        return DiscardFeedbackResponse()


def _digit(digit: int) -> int:
    if not 0 <= digit <= 9:
        raise RequestError(f"digit: {digit}, expected 0 to 9")
    return digit
