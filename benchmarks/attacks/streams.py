"""Streams whose answers nobody reads: what a client can make the server hold is bounded, and is given back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from time import monotonic, sleep
from typing import ClassVar

from benchmarks.attacks.arena import PICTURE, Arena, Service, open_channel, streaming, took
from benchmarks.attacks.attack import Attack, Figure
from protos.inference.open_inference_pb2 import ModelInferRequest
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeStreamRequest

__all__ = ["UnreadInferStreams", "UnreadStreams", "unread"]

STREAMS, CONNECTIONS = 50, 5
GROWTH = 100.0
KEPT = 50.0
GIVEN_BACK_WITHIN = 10.0


@dataclass(frozen=True)
class Memory:
    """Resident memory of the service, in MB: before, at its highest, and after the streams have ended."""

    before: float
    highest: float
    after: float


@contextmanager
def unread(port: int, method: str, message: bytes) -> Iterator[None]:
    """Keep streams open that send as much as the server takes, and read nothing."""
    over = Event()

    def messages() -> Iterator[bytes]:
        while not over.is_set():
            yield message

    channels = [open_channel(port) for _ in range(CONNECTIONS)]
    calls = [streaming(channels[number % CONNECTIONS], method)(messages()) for number in range(STREAMS)]
    try:
        yield
    finally:
        over.set()
        for call in calls:
            call.cancel()
        for channel in channels:
            channel.close()


class UnreadStreams(Attack[Memory]):
    """50 streams send ids of 1 MB and read no answer: memory grows by at most 100 MB, and is given back."""

    name = "unread-streams"
    method: ClassVar[str] = "/numeral.v1.Recognizer/RecognizeStream"
    message: ClassVar[bytes] = RecognizeStreamRequest(
        request=RecognizeRequest(pixels=PICTURE), id="x" * 1_000_000
    ).SerializeToString()

    def act(self, arena: Arena) -> Memory:
        """Watch the memory while the streams are open, and after that."""
        with arena.service(arena.models().url) as service:
            took(service.version, 10)  # the first call allocates
            before = service.memory()
            with unread(service.port, self.method, self.message):
                highest = _highest(service, min(arena.seconds, 10))
            took(lambda: service.memory() - before <= KEPT, GIVEN_BACK_WITHIN)
            return Memory(before, highest, service.memory())

    def judge(self, seen: Memory) -> tuple[Figure, ...]:
        """What the memory has grown by, and what remains of that."""
        return (
            Figure("memory grew by", seen.highest - seen.before, GROWTH, "MB"),
            Figure("kept afterwards", seen.after - seen.before, KEPT, "MB"),
        )


class UnreadInferStreams(UnreadStreams):
    """50 streams of ModelInfer send ids of 60 kB and read no answer: memory grows by at most 100 MB."""

    name = "unread-infer-streams"
    method = "/inference.GRPCInferenceService/ModelStreamInfer"
    message = ModelInferRequest(
        model_name="mnist",
        id="x" * 60_000,
        inputs=[ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=[1, 784])],
        raw_input_contents=[PICTURE],
    ).SerializeToString()


def _highest(service: Service, seconds: float) -> float:
    """The most memory that a service has for some seconds."""
    end, highest = monotonic() + seconds, 0.0
    while monotonic() < end:
        highest = max(highest, service.memory())
        sleep(0.1)
    return highest
