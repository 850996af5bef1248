"""The gRPC servicers: they convert, call and convert back, and decide nothing."""

from typing import Any

import grpc
import numpy as np

from core.errors import PictureUnreadableError
from protos.numeral.v1 import recognizer_pb2_grpc
from protos.numeral.v1.recognizer_pb2 import DESCRIPTOR, RecognizeRequest, RecognizeResponse
from service.reading import Reading
from service.recognize import Recognition, reading

__all__ = ["RECOGNIZER", "RecognizerServicer"]

RECOGNIZER: str = DESCRIPTOR.services_by_name["Recognizer"].full_name


class RecognizerServicer(recognizer_pb2_grpc.RecognizerServicer):
    """numeral.v1.Recognizer."""

    def __init__(self, recognition: Recognition) -> None:
        """Serve.

        Args:
            recognition: What answers.
        """
        self._recognition = recognition

    async def Recognize(  # noqa: N802 — the name in the .proto file
        self, request: RecognizeRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> RecognizeResponse:
        """Which digit does one picture show?"""
        match request.WhichOneof("picture"):
            case "encoded":
                answer, (error,) = await self._recognition.encoded([request.encoded])
                if error is not None:
                    raise error
            case "pixels":
                answer = await self._recognition.images(self._recognition.pixels(request.pixels)[np.newaxis])
            case _:
                raise PictureUnreadableError(
                    "the request holds no picture: set `encoded` (PNG, JPEG, …) or `pixels` (784 bytes)"
                )
        return _response(reading(answer))


def _response(found: Reading) -> RecognizeResponse:
    return RecognizeResponse(
        digit=found.digit,
        probabilities=found.probabilities,
        confidence=found.confidence,
        model_version=found.model_version,
        weights_sha256=found.weights_sha256,
    )
