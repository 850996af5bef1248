"""Several processes that serve on one port."""

import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from service.client import Recognizer
from service.server.processes import how_many
from tests.patience import eventually
from tests.service.harness import Process
from tests.service.scraped import series
from tests.service.tiny_model import publish


def workers(process: Process) -> set[int]:
    """The children of the supervisor."""
    pid = process.popen.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def scraped(port: int) -> str:
    """The metrics, from any of the workers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        return response.read().decode()


@pytest.fixture
def two(repository, folder, start) -> Process:
    publish(repository, seed=1)
    return start("serve", "--repository", folder, "--port", 0, "--workers", 2)


def test_a_killed_worker_is_replaced_while_the_other_one_answers(two, pixels):
    address = two.listening()
    before = workers(two)
    assert len(before) == 2
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(workers(two) - {victim}) == 2)
    assert "ended unexpectedly with signal SIGKILL" in two.log
    for _ in range(20):  # each with a connection of its own, so that both workers are asked
        with Recognizer(address, timeout=60, wait_for_ready=True) as client:
            client.recognize(pixels)


def test_a_worker_that_hangs_is_replaced_and_counted(repository, folder, start, pixels, free_port):
    publish(repository, seed=1)
    flags = "--port", 0, "--workers", 2, "--heartbeat-seconds", 1, "--metrics-port", free_port
    process = start("serve", "--repository", folder, *flags)
    address = process.listening()
    victim = min(workers(process))
    os.kill(victim, signal.SIGSTOP)
    eventually(lambda: len(workers(process) - {victim}) == 2)
    assert f"(process {victim}) was killed: its event loop was silent for" in process.log
    for _ in range(10):
        with Recognizer(address, timeout=60, wait_for_ready=True) as client:
            client.recognize(pixels)
    assert 'numeral_workers_replaced_total{reason="silent"} 1.0' in scraped(free_port)


def test_the_last_look_at_the_repository_is_that_of_the_workers(repository, folder, start, free_port):
    publish(repository, seed=1)
    began = time.time()
    process = start("serve", "--repository", folder, "--port", 0, "--workers", 2, "--metrics-port", free_port)
    process.listening()
    eventually(lambda: series(scraped(free_port))("numeral_repository_last_look_timestamp_seconds") > began)


def test_sighup_reloads_every_worker_and_ends_none(two):
    two.listening()
    begun = workers(two)
    two.popen.send_signal(signal.SIGHUP)
    eventually(lambda: two.log.count("asked to reload") == 2)
    assert workers(two) == begun
    two.popen.send_signal(signal.SIGTERM)
    assert two.end().returncode == 0


def test_a_second_service_on_the_same_metrics_port_is_refused(repository, folder, start, run, free_port):
    publish(repository, seed=1)
    flags = "--repository", folder, "--port", 0, "--workers", 2, "--metrics-port", free_port
    first = start("serve", *flags)
    first.listening()
    ended = run("serve", *flags)
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{free_port} for metrics: Address already in use" in ended.stderr
    assert "numeral_build_info" in scraped(free_port)


def test_workers_end_with_the_supervisor_which_returns_their_exit_status(two):
    two.listening()
    begun = workers(two)
    two.popen.send_signal(signal.SIGTERM)
    ended = two.end()
    assert ended.returncode == 0
    assert ended.stderr.count("every call was answered") == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in begun)


def test_workers_do_not_outlive_a_killed_supervisor(two):
    two.listening()
    begun = workers(two)
    two.popen.kill()
    two.popen.wait()
    eventually(lambda: not any(_runs(pid) for pid in begun))


def test_a_port_in_use_by_another_program_is_refused_even_if_that_shares_it(repository, folder, run):
    publish(repository, seed=1)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = run("serve", "--repository", folder, "--port", port, "--workers", 2)
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr


def test_a_second_service_on_the_same_port_is_refused(two, folder, run):
    port = two.listening().rpartition(":")[2]
    ended = run("serve", "--repository", folder, "--port", port, "--workers", 2)
    assert ended.returncode == 2
    assert "Address already in use" in ended.stderr


def test_the_run_folder_is_removed_afterwards(two, tmp_path, repository, folder, start):
    two.listening()
    environment = Path(f"/proc/{min(workers(two))}/environ")
    assert environment.exists()
    temporary = start("serve", "--repository", folder, "--port", 0, "--workers", 2, env={"TMPDIR": str(tmp_path)})
    temporary.listening()
    assert list(tmp_path.glob("numeral-*"))
    temporary.popen.send_signal(signal.SIGTERM)
    assert temporary.end().returncode == 0
    assert not list(tmp_path.glob("numeral-*"))


def test_the_number_of_workers_is_that_of_the_settings_or_of_the_cores():
    assert how_many("3") == 3
    assert 1 <= how_many("auto") <= min(4, len(os.sched_getaffinity(0)))


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_every_worker_gives_the_same_answer(two, pixels):
    address = two.listening()
    found = set()
    for _ in range(12):
        with Recognizer(address, timeout=60) as client:
            found.add(client.recognize(np.asarray(pixels)).probabilities)
    assert len(found) == 1
