"""A minimal gRPC server for tests of the client: it fails on demand, and records what it receives."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from protos.numeral.v1.recognizer_pb2 import GetModelResponse, RecognizeResponse, SendFeedbackResponse
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerServicer, add_RecognizerServicer_to_server


class Bare(RecognizerServicer):
    """Fails with each status of `failures`, one per call, and then answers every call.

    Attributes:
        failures: The statuses that are left.
        calls: The number of calls so far.
        metadata: The metadata of each call.
        wait: Every answer waits for it; by default it is set.
    """

    def __init__(self, failures: list[grpc.StatusCode]) -> None:
        self.failures = failures
        self.wait = threading.Event()
        self.wait.set()
        self.calls = 0
        self.metadata: list[dict[str, str]] = []

    def _answer(self, response: object, context: grpc.ServicerContext) -> object:
        self.calls += 1
        self.metadata.append(dict(context.invocation_metadata()))
        self.wait.wait()
        if self.failures:
            context.abort(self.failures.pop(0), "on demand")
        return response

    def Recognize(self, request, context):  # noqa: N802
        return self._answer(RecognizeResponse(digit=3, model_version="bare"), context)

    def GetModel(self, request, context):  # noqa: N802
        return self._answer(GetModelResponse(name="bare"), context)

    def SendFeedback(self, request, context):  # noqa: N802
        return self._answer(SendFeedbackResponse(added=True), context)

    def RecognizeStream(self, requests, context):  # noqa: N802
        return self._answer(iter(()), context)


@contextmanager
def bare(
    *failures: grpc.StatusCode, listen: Callable[[grpc.Server], int] = lambda s: s.add_insecure_port("127.0.0.1:0")
) -> Iterator[tuple[str, Bare]]:
    """Run one while the context lasts; gives its address and what it records."""
    server, answers = grpc.server(ThreadPoolExecutor(4)), Bare(list(failures))
    add_RecognizerServicer_to_server(answers, server)
    port = listen(server)
    server.start()
    try:
        yield f"127.0.0.1:{port}", answers
    finally:
        server.stop(None).wait()
