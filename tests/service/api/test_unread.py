"""Clients that send and never read: what the server holds for them is bounded."""

import threading
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from protos.inference.open_inference_pb2 import ModelInferRequest
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeStreamRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.api.unread import LARGE, MOST_OF_ONE, SMALL, Unread
from service.errors import OverloadedError
from tests.patience import eventually
from tests.service.harness import STROKE
from tests.service.tiny_model import publish

STREAMS, MESSAGES, SIZE = 16, 30, 500_000
"""So many requests of this size are sent by each stream; their answers are few enough for a client to leave unread."""

FEW_MEGABYTES = 120
"""If the server held what is sent, these were 240."""


def megabytes(pid: int) -> float:
    """The memory that a process occupies."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def in_a_stream() -> tuple[str, Message]:
    picture = RecognizeRequest(pixels=STROKE.tobytes())
    return "/numeral.v1.Recognizer/RecognizeStream", RecognizeStreamRequest(request=picture, id="x" * SIZE)


def in_a_stream_of_the_other_protocol() -> tuple[str, Message]:
    tensor = ModelInferRequest.InferInputTensor(name="image", datatype="UINT8", shape=(1, 784))
    contents = {"inputs": [tensor], "raw_input_contents": [STROKE.tobytes()]}
    return "/inference.GRPCInferenceService/ModelStreamInfer", ModelInferRequest(id="x" * SIZE, **contents)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from Linux's /proc")
@pytest.mark.parametrize("asking", [in_a_stream, in_a_stream_of_the_other_protocol])
def test_long_texts_in_streams_that_nobody_reads_take_no_memory(asking, repository, folder, start):
    publish(repository, seed=1)
    process, leave = start("serve", "--repository", folder, "--port", 0, "--workers", 1), threading.Event()
    path, request = asking()
    data, sent = request.SerializeToString(), [0] * STREAMS

    def requests(stream: int):
        while not leave.is_set():
            yield data
            sent[stream] += 1

    # A fast connection would let gRPC grow the client's window, so that it would take more answers.
    with grpc.insecure_channel(process.listening(), [("grpc.http2.bdp_probe", 0)]) as channel:
        recognize, picture = RecognizerStub(channel).Recognize, RecognizeRequest(pixels=STROKE.tobytes())
        recognize(picture, timeout=60)
        before = megabytes(process.popen.pid)
        calls = [channel.stream_stream(path)(requests(stream), timeout=120) for stream in range(STREAMS)]
        eventually(lambda: min(sent) >= MESSAGES)
        grown = megabytes(process.popen.pid) - before
        leave.set()
        assert grown < FEW_MEGABYTES
        assert all(call.is_active() for call in calls)
        assert recognize(picture, timeout=60).model_version == "1", "others are answered"
        for call in calls:
            call.cancel()


class Call:
    """A call from a peer."""

    def __init__(self, peer: str) -> None:
        self.peer = lambda: peer
        self.add_done_callback = lambda callback: setattr(self, "end", lambda: callback(self))


def test_a_connection_may_leave_some_large_answers_unread_and_then_gets_no_more():
    unread, first = Unread(2**40), Call("ipv4:1")
    unread.add(first, MOST_OF_ONE)
    with pytest.raises(OverloadedError, match="read them before you ask for more"):
        unread.add(Call("ipv4:1"), SMALL + 1)
    unread.add(Call("ipv4:1"), SMALL)
    unread.add(Call("ipv4:2"), SMALL + 1)
    first.end()
    unread.add(Call("ipv4:1"), SMALL + 1)


def test_all_connections_together_may_leave_one_large_answer_each_beyond_the_limit():
    unread, size = Unread(10 * SMALL), 4 * SMALL
    calls = [Call(f"ipv4:{number}") for number in range(20)]
    for call in calls:
        unread.add(call, size)
    with pytest.raises(OverloadedError):
        unread.add(Call("ipv4:3"), size)
    for call in calls:
        call.end()
    assert unread.bytes == 0


def test_a_very_large_answer_waits_for_the_room_that_others_hold_unread():
    unread, first, second = Unread(4 * LARGE), Call("ipv4:1"), Call("ipv4:2")
    unread.add(first, 5 * LARGE)  # nothing else is unread: so it is sent in the end, however little room there is
    with pytest.raises(OverloadedError, match="answers to others are not read yet"):
        unread.add(Call("ipv4:3"), LARGE + 1)
    unread.add(second, LARGE)
    assert unread.bytes == 6 * LARGE
    first.end()
    unread.add(Call("ipv4:3"), 3 * LARGE)
    assert unread.bytes == 4 * LARGE
