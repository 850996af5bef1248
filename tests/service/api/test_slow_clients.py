"""Clients that are slow, or have vanished: others are answered as usual."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest

from protos.numeral.v1.recognizer_pb2 import GetDocumentRequest, RecognizeRequest, RecognizeStreamRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import Recognizer
from service.client.connection import OPTIONS
from service.versions.documents import LARGEST_DOCUMENT
from tests.patience import eventually
from tests.service.api.test_unread import megabytes
from tests.service.harness import assert_same_answer, expected
from tests.service.tiny_model import publish

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4
INITIAL_WINDOW_SIZE = 4
CALL = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/numeral.v1.Recognizer/Recognize",
    ":authority": "slow",
    "content-type": "application/grpc",
    "te": "trailers",
}
HALF = struct.pack(">BI", 0, 800) + bytes(100)
"""A message of 800 bytes, and the first hundred of them."""


def frame(kind: int, stream: int, payload: bytes = b"", flags: int = 0) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def head(stream: int, path: str = CALL[":path"]) -> bytes:
    """The headers of a call, each as a literal that is not indexed (RFC 7541, section 6.2.2)."""
    words = ((name.encode(), value.encode()) for name, value in (CALL | {":path": path}).items())
    block = b"".join(bytes([0, len(name)]) + name + bytes([len(value)]) + value for name, value in words)
    return frame(HEADERS, stream, block, END_HEADERS)


def asked(path: str, request: bytes) -> bytes:
    """A whole call of a client that lets no byte of an answer be sent to it."""
    message = frame(DATA, 1, struct.pack(">BI", 0, len(request)) + request, END_STREAM)
    return PREFACE + frame(SETTINGS, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)) + head(1, path) + message


def await_headers(connection: socket.socket) -> None:
    """Wait for the headers of an answer, or of a refusal: unlike the answer itself, they are sent at once."""
    connection.settimeout(60)
    with connection.makefile("rb") as answers:
        while True:
            length, kind = int.from_bytes(answers.read(3)), answers.read(1)
            answers.read(5 + length)
            if kind == bytes([HEADERS]):
                return


@pytest.fixture
def say(repository, folder, serve) -> Iterator[Callable[[bytes], socket.socket]]:
    """Open a connection to a server, `say.address`, and send it some bytes; it stays open until the test ends."""
    publish(repository, seed=1)
    address = serve(folder).address
    host, port = address.split(":")
    with ExitStack() as stack:

        def speak(words: bytes) -> socket.socket:
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(words)
            return connection

        speak.address = address
        yield speak


@pytest.mark.parametrize(
    ("words", "connections"),
    [
        (b"", 200),
        (PREFACE, 200),
        (PREFACE + frame(SETTINGS, 0) + b"".join(head(2 * n + 1) for n in range(50)), 10),
        (
            PREFACE + frame(SETTINGS, 0) + b"".join(head(2 * n + 1) + frame(DATA, 2 * n + 1, HALF) for n in range(50)),
            10,
        ),
        (b"GET / HTTP/1.1\r\nHost: slow\r\n\r\n", 50),
    ],
    ids=["silent", "a greeting", "heads of calls", "halves of messages", "HTTP/1.1"],
)
def test_clients_that_send_only_a_part_do_not_delay_others(words, connections, say, repository, connect, pixels):
    for _ in range(connections):
        say(words)
    client = connect(say.address)
    for _ in range(20):
        assert_same_answer(client.recognize(pixels, timeout=60).probabilities, expected(repository, 1, pixels))


def test_a_message_that_arrives_slowly_is_answered_once_it_is_complete(say, repository, connect, pixels):
    slow = say(PREFACE + frame(SETTINGS, 0) + head(1))
    message = RecognizeRequest(pixels=pixels.tobytes()).SerializeToString()
    for piece in (struct.pack(">BI", 0, len(message)), message[:300], message[300:]):
        time.sleep(0.05)
        connect(say.address).recognize(pixels, timeout=60)
        slow.sendall(frame(DATA, 1, piece))
    slow.sendall(frame(DATA, 1, flags=1))
    slow.settimeout(60)
    received = b""
    while b"grpc-status" not in received:
        received += slow.recv(4096)
    digest = repository.manifest(1).files["weights.safetensors"].sha256
    assert digest.encode() in received


def test_a_client_that_abandons_thousands_of_calls_keeps_its_connection(repository, folder, serve, pixels):
    publish(repository, seed=1)
    request = RecognizeRequest(pixels=pixels.tobytes())
    going_on = SimpleQueue()
    with grpc.insecure_channel(serve(folder).address, OPTIONS) as channel:
        stub = RecognizerStub(channel)
        stream = stub.RecognizeStream(RecognizeStreamRequest(request=request) for _ in iter(going_on.get, None))
        going_on.put("before")
        assert next(stream).HasField("outcome")
        calls = [stub.Recognize.future(request, timeout=0.001) for _ in range(3000)]
        # Beyond 256 at once, gRPC refuses streams until those that were abandoned are cleaned up.
        ends = {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}
        assert {call.code() for call in calls} <= ends
        going_on.put("after")
        assert next(stream).HasField("outcome")
        going_on.put(None)
        eventually(lambda: stub.Recognize.future(request, timeout=60).code() is grpc.StatusCode.OK)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process from Linux's /proc")
def test_documents_that_many_clients_do_not_read_take_little_memory(repository, folder, start):
    """On 40 connections they have 160 MB."""
    publish(repository, seed=1, documents={"report.html": bytes(LARGEST_DOCUMENT)})
    process = start("serve", "--repository", folder, "--port", 0, "--workers", 1)
    address = process.listening()
    host, port = address.split(":")
    words = asked("/numeral.v1.Recognizer/GetDocument", GetDocumentRequest(name="report.html").SerializeToString())
    with ExitStack() as stack, Recognizer(address) as client:
        assert len(client.document("report.html")) == LARGEST_DOCUMENT
        before = megabytes(process.popen.pid)
        for _ in range(40):
            connection = stack.enter_context(socket.create_connection((host, int(port))))
            connection.sendall(words)
            await_headers(connection)
        assert megabytes(process.popen.pid) - before < 60
        assert client.versions().serving == "1", "others are answered"
