"""How a server process ends."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import grpc
import pytest

from protos.numeral.v1.recognizer_pb2 import GetModelRequest, RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from tests.service.harness import drawing
from tests.service.tiny_model import publish

SLOW = drawing(6000)
"""36 megapixels: decoding it takes a good part of a second, and the message is small."""


@pytest.fixture
def stub_at() -> Iterator[Callable[[str], RecognizerStub]]:
    """A stub at an address, whose connection is closed when the test ends."""
    with ExitStack() as stack:
        yield lambda address: RecognizerStub(stack.enter_context(grpc.insecure_channel(address)))


def calls_in_flight(stub: RecognizerStub, count: int) -> list[grpc.Future]:
    """Send slow calls, and come back when the server has begun all of them.

    A connection keeps their order: once a call that is sent after them is answered, the server knows them. A call that
    it has not begun when it is asked to stop is not in flight, and may be cancelled.
    """
    stub.GetModel(GetModelRequest(), timeout=120, wait_for_ready=True)  # connected, so that all go out in order
    calls = [stub.Recognize.future(RecognizeRequest(encoded=SLOW), timeout=600) for _ in range(count)]
    stub.GetModel(GetModelRequest(), timeout=120)
    return calls


def codes(calls: list[grpc.Future]) -> list[grpc.StatusCode]:
    """How they ended, once they have."""
    return [call.code() for call in calls]


def test_after_sigterm_every_call_in_flight_finishes_and_the_exit_status_is_0(repository, folder, start, stub_at):
    publish(repository, seed=1)
    patient = ("--drain-seconds", 600, "--max-wait-seconds", 600)
    process = start("serve", "--repository", folder, "--port", 0, *patient)
    calls = calls_in_flight(stub_at(process.listening()), 16)
    assert not all(call.done() for call in calls), "no call is in flight when the signal comes"
    process.popen.send_signal(signal.SIGTERM)
    ended = process.end()
    assert codes(calls) == [grpc.StatusCode.OK] * 16
    assert ended.returncode == 0
    assert "every call was answered" in ended.stderr


def test_calls_that_outlast_the_drain_are_cut_off_and_the_exit_status_is_1(repository, folder, start, stub_at):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 0)
    calls = calls_in_flight(stub_at(process.listening()), 16)
    process.popen.send_signal(signal.SIGTERM)
    ended = process.end()
    assert set(codes(calls)) - {grpc.StatusCode.OK}
    assert ended.returncode == 1
    assert "cut off" in ended.stderr


def test_an_idle_server_stops_at_once_on_either_signal(repository, folder, start):
    publish(repository, seed=1)
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 600)
        process.listening()
        process.popen.send_signal(number)
        assert process.end().returncode == 0  # which waits for less than the drain may last


def test_a_second_sigint_does_not_wait_for_calls_in_flight(repository, folder, start, stub_at):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 600)
    calls = calls_in_flight(stub_at(process.listening()), 16)
    process.popen.send_signal(signal.SIGINT)
    while "asked to stop" not in process.log:
        time.sleep(0.01)
    process.popen.send_signal(signal.SIGINT)
    ended = process.end()
    assert set(codes(calls)) - {grpc.StatusCode.OK}
    assert ended.returncode == 130


def test_a_storage_that_never_answers_delays_neither_start_nor_stop(start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(
            "serve", "--repository", "s3://bucket/models", "--port", 0,
            env={
                "AWS_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}", "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1",
            },
        )  # fmt: skip
        process.listening()
        process.popen.send_signal(signal.SIGTERM)
        assert process.end().returncode == 0
