"""How a server process ends."""

import signal
import socket
import threading
import time

from service.client import Recognizer
from tests.service.harness import drawing
from tests.service.tiny_model import publish

SLOW = drawing(6000)
"""36 megapixels: decoding it takes a good part of a second, and the message is small."""


def calls_in_flight(address: str, count: int) -> tuple[list, list, list[threading.Thread]]:
    """Send slow calls at once, and return when the first is answered: the server has then received all of them."""
    answers, failures = [], []
    first = threading.Event()
    client = Recognizer(address, timeout=60)
    client.recognize(drawing())  # connects, so that all calls are sent at the same time

    def call() -> None:
        try:
            answers.append(client.recognize(SLOW))
        except Exception as error:  # noqa: BLE001 — whatever it is, it is a failed call
            failures.append(error)
        first.set()

    callers = [threading.Thread(target=call) for _ in range(count)]
    for caller in callers:
        caller.start()
    assert first.wait(60)
    return answers, failures, callers


def test_after_sigterm_every_call_in_flight_finishes_and_the_exit_status_is_0(repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 60)
    answers, failures, callers = calls_in_flight(process.listening(), 16)
    before = len(answers)
    process.popen.send_signal(signal.SIGTERM)
    ended = process.end()
    for caller in callers:
        caller.join()
    assert failures == []
    assert before < len(answers) == 16, "no call was in flight when the signal came"
    assert ended.returncode == 0
    assert "every call was answered" in ended.stderr


def test_calls_that_outlast_the_drain_are_cut_off_and_the_exit_status_is_1(repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 0)
    _, failures, callers = calls_in_flight(process.listening(), 16)
    process.popen.send_signal(signal.SIGTERM)
    ended = process.end()
    for caller in callers:
        caller.join()
    assert failures
    assert ended.returncode == 1
    assert "cut off" in ended.stderr


def test_an_idle_server_stops_at_once_on_either_signal(repository, folder, start):
    publish(repository, seed=1)
    for number in (signal.SIGTERM, signal.SIGINT):
        process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 60)
        process.listening()
        process.popen.send_signal(number)
        began = time.monotonic()
        assert process.end().returncode == 0
        assert time.monotonic() - began < 20


def test_a_second_sigint_does_not_wait_for_calls_in_flight(repository, folder, start):
    publish(repository, seed=1)
    process = start("serve", "--repository", folder, "--port", 0, "--drain-seconds", 60)
    _, failures, callers = calls_in_flight(process.listening(), 16)
    process.popen.send_signal(signal.SIGINT)
    while "asked to stop" not in process.log:
        time.sleep(0.01)
    process.popen.send_signal(signal.SIGINT)
    ended = process.end()
    for caller in callers:
        caller.join()
    assert failures
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
        began = time.monotonic()
        assert process.end().returncode == 0
        assert time.monotonic() - began < 20
