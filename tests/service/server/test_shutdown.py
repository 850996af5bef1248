"""How a server process ends."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import grpc
import pytest

from protos.numeral.v1.recognizer_pb2 import GetModelRequest, RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from tests.patience import eventually
from tests.service.harness import STROKE, drawing
from tests.service.tiny_model import publish

SLOW = drawing(6000)
"""36 megapixels: decoding it takes a good part of a second, and the message is small."""

REQUEST = RecognizeRequest(pixels=STROKE.tobytes())

RETRY = {"maxAttempts": 2, "initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1}
RETRYING = {"methodConfig": [{"name": [{}], "retryPolicy": RETRY | {"retryableStatusCodes": ["UNAVAILABLE"]}}]}
"""A service config with which a client tries once more what is UNAVAILABLE."""


@pytest.fixture
def stub_at() -> Iterator[Callable[..., RecognizerStub]]:
    """A stub at an address, whose connection is closed when the test ends."""
    with ExitStack() as stack:

        def connect(address: str, config: object = None) -> RecognizerStub:
            options = [("grpc.service_config", json.dumps(config or {})), ("grpc.use_local_subchannel_pool", 1)]
            return RecognizerStub(stack.enter_context(grpc.insecure_channel(address, options)))

        yield connect


def calls_in_flight(stub: RecognizerStub, count: int) -> list[grpc.Future]:
    """Send slow calls, and come back when the server has begun all of them.

    A connection keeps their order: once a call that is sent after them is answered, the server knows them.
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
    assert grpc.StatusCode.UNAVAILABLE in codes(calls), "another server may answer them"
    assert ended.returncode == 1
    assert "calls were cut off after 0 seconds" in ended.stderr


def test_while_a_server_stops_new_calls_are_refused_and_those_that_come_back_answered(
    repository, folder, start, stub_at
):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 600)
    address = process.listening()
    plain, retrying = stub_at(address), stub_at(address, RETRYING)
    retrying.Recognize(REQUEST, timeout=120)  # connected before the server stops
    calls = calls_in_flight(plain, 16)
    process.popen.send_signal(signal.SIGTERM)
    eventually(lambda: plain.Recognize.future(REQUEST, timeout=120).code() is grpc.StatusCode.UNAVAILABLE)
    assert retrying.Recognize.future(REQUEST, timeout=120).code() is grpc.StatusCode.OK
    assert not all(call.done() for call in calls), "the server was not stopping any more"
    ended = process.end()
    assert codes(calls) == [grpc.StatusCode.OK] * 16
    assert "new calls as UNAVAILABLE, for their clients to send again" in ended.stderr
    assert ended.returncode == 0


def test_a_stop_under_load_leaves_no_call_cancelled(repository, folder, start, stub_at):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0)
    stub = stub_at(process.listening())
    found: list[grpc.StatusCode] = []
    while process.popen.poll() is None:
        found += codes([stub.Recognize.future(REQUEST, timeout=120) for _ in range(64)])
        if len(found) == 512:
            process.popen.send_signal(signal.SIGTERM)
    assert set(found) == {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    ended = process.end()
    assert "every call was answered" in ended.stderr
    assert ended.returncode == 0


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


def test_sighup_reloads_and_ends_nothing(repository, folder, start, stub_at):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0)
    stub = stub_at(process.listening())
    process.popen.send_signal(signal.SIGHUP)
    eventually(lambda: "asked to reload" in process.log)
    assert stub.Recognize.future(REQUEST, timeout=120).code() is grpc.StatusCode.OK
    process.popen.send_signal(signal.SIGTERM)
    assert process.end().returncode == 0
