"""What the tests stand on: servers and processes that can be taken down twice and in any order."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.errors import ConfigError
from tests import leftovers
from tests.floats import assert_same_bits, assert_same_function, by_hand, close, tolerance
from tests.patience import eventually
from tests.pipelines.sources.mirror_server import MirrorServer
from tests.service.bare_server import bare
from tests.service.harness import ROOT, Process, Running, running


def listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


# a server in a thread


def test_a_server_that_has_stopped_may_be_stopped_and_ended_again(tmp_path: Path) -> None:
    with running(tmp_path / "models") as server:
        assert listens(server.address)
        server.stop()
        server.end()
        assert not listens(server.address)
        server.stop()
        server.end()


def test_servers_may_be_ended_in_the_order_in_which_they_were_started(tmp_path: Path) -> None:
    first, second = Running(tmp_path / "models"), Running(tmp_path / "models")
    first.end()
    assert listens(second.address)
    second.end()
    first.end()


def test_a_server_that_does_not_start_says_why_and_leaves_no_thread(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), running(tmp_path, tls_cert=str(tmp_path / "none"), tls_key=str(tmp_path / "none")):
        pass
    assert "server under test" not in {thread.name for thread in threading.enumerate()}


# a process


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process("--help", env={}, cwd=tmp_path)


def test_a_process_that_has_ended_may_be_waited_for_again_and_killed_twice(process: Process) -> None:
    ended = process.end()
    assert ended.returncode == 0
    assert "serve" in ended.stdout
    assert vars(process.end()) == vars(ended)
    process.kill()
    process.kill()
    assert vars(process.end()) == vars(ended)


def test_a_process_that_was_killed_may_be_killed_and_waited_for(tmp_path: Path) -> None:
    process = Process("serve", "--port", 0, "--repository", tmp_path / "models", env={}, cwd=tmp_path)
    process.listening()
    process.kill()
    process.kill()
    assert process.end().returncode == -signal.SIGKILL


# other servers


def test_a_mirror_and_a_bare_server_may_be_taken_down_in_any_order_and_twice() -> None:
    with ExitStack() as stack:
        mirror = stack.enter_context(MirrorServer({"/file": b"data"}))
        address, _ = stack.enter_context(bare())
        mirror.__exit__()
        assert listens(address)
    mirror.__exit__()
    assert not listens(address)


# processes that are left behind


def test_a_process_left_behind_is_found_in_a_session_of_its_own_and_ended() -> None:
    left = subprocess.Popen(
        [sys.executable, "-c", "print('runs', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        # Linux shows an empty environment for the moment in which a new program replaces the one that started it.
        assert left.stdout.readline() == b"runs\n"  # type: ignore[union-attr]
        assert "input()" in leftovers.marked()[left.pid]
        leftovers.end({left.pid: ""})
        assert left.wait(60) == -signal.SIGKILL
        assert left.pid not in leftovers.marked()
        leftovers.end({left.pid: ""})
    finally:
        left.kill()
        left.communicate()


KEEPER = """
import os, socket, sys
from contextlib import contextmanager
from pathlib import Path
from tests import prefect_server

@contextmanager
def server():
    try:
        yield
    finally:
        Path(sys.argv[1]).with_name("ended").touch()

prefect_server.keep(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), server())
"""
USER = """
import sys
from pathlib import Path
from tests import prefect_server

prefect_server.KEEPER = ["-c", sys.argv[2]]
with prefect_server.using(Path(sys.argv[1]), dict(sys.modules["os"].environ)) as prefect:
    print(prefect.url, flush=True)
    input()
"""


def test_the_prefect_server_ends_with_its_last_user_even_if_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    environment = os.environ | {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": "http://nowhere/api"}

    def use() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", USER, str(tmp_path), KEEPER],
            cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    with use() as first, use() as second:
        for user in (first, second):
            assert user.stdout is not None
            assert user.stdout.readline() == "http://nowhere/api\n"
        first.kill()
        first.wait()
        with use() as third:
            assert third.stdout is not None
            assert third.stdout.readline() == "http://nowhere/api\n"
            third.communicate("\n")
        assert not (tmp_path / "ended").exists(), "the second still uses it"
        second.kill()
    eventually((tmp_path / "ended").exists)


# comparisons of floats


def test_a_tolerance_grows_with_the_root_of_the_terms_and_with_their_magnitude() -> None:
    assert tolerance(1) == 2**-23
    assert tolerance(784, scale=2.0) == 28 * 2 * 2**-23
    assert tolerance(4, "float64") == 2 * 2**-52


def test_the_same_function_is_told_from_another_one() -> None:
    assert_same_function([1.0, 0.5], [1.0 + 2**-52, 0.5], terms=1)
    with pytest.raises(AssertionError):
        assert_same_function([1.0, 0.5], [1.0 + 2**-50, 0.5], terms=1)
    with pytest.raises(AssertionError):
        assert_same_function([float("nan")], [0.0], terms=1)


def test_the_same_bits_have_the_same_dtype_and_shape() -> None:
    assert_same_bits([1.0, float("nan")], [1.0, float("nan")])
    for other in ([1, 2], [1.0], [1.0, 2.0 + 2**-51]):
        with pytest.raises(AssertionError):
            assert_same_bits([1.0, 2.0], other)


def test_what_was_worked_out_by_hand_may_be_off_by_a_few_roundings_and_no_more() -> None:
    assert by_hand(0.3) == 0.1 + 0.2
    assert by_hand(0.3) != 0.3 + 1e-14
    assert by_hand([[0.3]]) == [[0.1 + 0.2]]


def test_what_is_only_close_says_why() -> None:
    assert close(0.3, abs=0.02, why="a sample") == 0.31
    assert close(0.3, rel=0.02, why="a sample") != 0.31
    with pytest.raises(AssertionError):
        close(0.3, abs=0.02, why="")
