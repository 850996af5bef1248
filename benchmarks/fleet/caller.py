"""A client of one replica that never repeats a call, so that each call that is lost is seen."""

from collections import Counter
from threading import Event, Thread

import grpc
import numpy as np

from benchmarks.fleet.sightings import Sightings
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub

__all__ = ["Caller"]

EVERY = 0.01
"""Seconds between an answer and the next call: the most by which a version may be seen too late."""

DEADLINE = 30.0
"""Seconds after which a call counts as lost."""

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # not even those that gRPC makes by itself
    ("grpc.use_local_subchannel_pool", 1),  # otherwise, all channels of this process share their connections
]

IMAGE = np.zeros((28, 28), np.uint8)
IMAGE[4:24, 12:16] = 255


class Caller(Thread):
    """Asks one replica from its start until `stop`.

    Attributes:
        seen: The versions that have answered.
        answered: How many calls were answered.
        lost: How many were not, by what became of them.
    """

    def __init__(self, port: int, name: str) -> None:
        """Ask nothing yet."""
        super().__init__(name=name)
        self.seen = Sightings(name)
        self.answered = 0
        self.lost: Counter[str] = Counter()
        self._port = port
        self._enough = Event()

    def run(self) -> None:
        """Make one call after the other."""
        request = RecognizeRequest(pixels=IMAGE.tobytes())
        with grpc.insecure_channel(f"127.0.0.1:{self._port}", options=OPTIONS) as channel:
            recognize = RecognizerStub(channel).Recognize  # type: ignore[no-untyped-call]
            while not self._enough.wait(EVERY):
                try:
                    reply = recognize(request, timeout=DEADLINE)
                except grpc.RpcError as error:
                    self.lost[f"{error.code().name}: {error.details()}"] += 1
                else:
                    self.answered += 1
                    self.seen.note(int(reply.model_version))

    def stop(self) -> None:
        """End after the present call, and wait for it."""
        self._enough.set()
        self.join()
