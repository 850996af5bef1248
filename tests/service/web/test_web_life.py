"""How the web server ends."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.patience import eventually
from tests.service.harness import ENDS_WITHIN, ROOT
from tests.service.web.security.guarded import everything

FOREVER = 600


class Life:
    """The process, and what it prints."""

    def __init__(self, drain_seconds: float) -> None:
        command = [sys.executable, "-m", "tests.service.web.life", str(drain_seconds)]
        self.popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.popen.stdout.readline().rpartition(":")[2])
        self.statuses: list[int] = []

    def ask(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ENDS_WITHIN)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def ask_in_the_background(self, path: str) -> threading.Thread:
        def ask() -> None:
            try:
                self.statuses.append(self.ask(path))
            except (OSError, http.client.HTTPException):
                self.statuses.append(0)

        thread = threading.Thread(target=ask)
        thread.start()
        return thread

    def listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=ENDS_WITHIN).close()
        except OSError:
            return False
        return True

    def end(self) -> tuple[int, str]:
        """Exit status and log."""
        _, log = self.popen.communicate(timeout=ENDS_WITHIN)
        return self.popen.returncode, log


@pytest.fixture
def begin() -> Iterator[Callable[[float], Life]]:
    lives = []

    def one(drain_seconds: float) -> Life:
        lives.append(Life(drain_seconds))
        return lives[-1]

    yield one
    for life in lives:
        life.popen.kill()
        life.popen.communicate()


def waiting(life: Life) -> threading.Thread:
    """A request that is not answered until another one, on a connection that is open already, says so."""
    connection = http.client.HTTPConnection("127.0.0.1", life.port, timeout=ENDS_WITHIN)
    thread = life.ask_in_the_background("/page/wait")

    def seen() -> bool:
        connection.request("GET", "/page/waiting")
        return b"1" in connection.getresponse().read()

    eventually(seen)
    connection.close()
    return thread


def half_a_request(life: Life) -> socket.socket:
    """A request whose body is not complete, and which is in flight."""
    connection = socket.create_connection(("127.0.0.1", life.port), timeout=ENDS_WITHIN)
    connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")  # its application reads
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_finished_after_a_signal_and_no_other_is_accepted(begin, number):
    life = begin(FOREVER)
    with half_a_request(life) as connection:
        life.popen.send_signal(number)
        eventually(lambda: not life.listens())
        connection.sendall(b"abcd")
        assert b'"bytes":4' in everything(connection)
    assert life.end()[0] == 0


def test_a_connection_without_a_request_does_not_delay_the_end(begin):
    life = begin(FOREVER)
    with (
        socket.create_connection(("127.0.0.1", life.port)) as silent,
        socket.create_connection(("127.0.0.1", life.port)) as idle,
    ):
        idle.sendall(b"GET /page/measure HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        life.popen.send_signal(signal.SIGTERM)
        status, log = life.end()
        assert silent.recv(1) == b""
    assert status == 0
    assert "stopped; every request was answered" in log


def test_a_request_that_does_not_end_is_cut_off_and_the_exit_status_says_so(begin):
    life = begin(0.2)
    thread = waiting(life)
    life.popen.send_signal(signal.SIGTERM)
    status, log = life.end()
    thread.join(ENDS_WITHIN)
    assert (status, life.statuses) == (1, [0])
    assert "1 requests were cut off after 0.2 seconds" in log
    assert not re.search("Traceback|ERROR", log)


def test_a_second_ctrl_c_does_not_wait(begin):
    life = begin(FOREVER)
    thread = waiting(life)
    life.popen.send_signal(signal.SIGINT)
    eventually(lambda: not life.listens())
    life.popen.send_signal(signal.SIGINT)
    status, log = life.end()
    thread.join(ENDS_WITHIN)
    assert status == 130
    assert not re.search("Traceback|ERROR", log)
