"""The gRPC servicers: they convert, call and convert back, and decide nothing."""

import asyncio
from concurrent.futures import Executor
from typing import Any

import grpc

from core.errors import PictureUnreadableError
from protos.numeral.v1 import recognizer_pb2_grpc
from protos.numeral.v1.recognizer_pb2 import DESCRIPTOR, RecognizeRequest, RecognizeResponse
from service.reading import Reading
from service.recognize import Recognition

__all__ = ["RECOGNIZER", "RecognizerServicer"]

RECOGNIZER: str = DESCRIPTOR.services_by_name["Recognizer"].full_name


class RecognizerServicer(recognizer_pb2_grpc.RecognizerServicer):
    """numeral.v1.Recognizer."""

    def __init__(self, recognition: Recognition, pool: Executor) -> None:
        """Serve.

        Args:
            recognition: What answers.
            pool: Threads that decode pictures.
        """
        self._recognition = recognition
        self._pool = pool

    async def Recognize(  # noqa: N802 — the name in the .proto file
        self, request: RecognizeRequest, _context: grpc.aio.ServicerContext[Any, Any]
    ) -> RecognizeResponse:
        """Which digit does one picture show?"""
        match request.WhichOneof("picture"):
            case "encoded":
                loop = asyncio.get_running_loop()
                reading = await loop.run_in_executor(self._pool, self._recognition.encoded, request.encoded)
            case "pixels":
                # Nothing to decode, and a hop to another thread (50 µs) takes as long as the network itself.
                reading = self._recognition.pixels(request.pixels)
            case _:
                raise PictureUnreadableError(
                    "the request holds no picture: set `encoded` (PNG, JPEG, …) or `pixels` (784 bytes)"
                )
        return _response(reading)


def _response(reading: Reading) -> RecognizeResponse:
    return RecognizeResponse(
        digit=reading.digit,
        probabilities=reading.probabilities,
        confidence=reading.confidence,
        model_version=reading.model_version,
        weights_sha256=reading.weights_sha256,
    )
