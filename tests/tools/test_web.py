"""tools/web.py: the page in one command."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.patience import eventually
from tests.service.conftest import folder, free_port, repository, serve
from tests.service.harness import ENDS_WITHIN, ROOT, without_settings
from tests.service.tiny_model import publish

__all__ = ["folder", "free_port", "repository", "serve"]


@pytest.fixture
def show(folder: Path):
    """Run the tool, with a page on any free port; gives the process and what it prints until the page is there."""
    running = []

    def begin(port: int) -> tuple["subprocess.Popen[str]", list[str]]:
        command = [sys.executable, "tools/web.py", "--port", str(port), "--web-port", "0"]
        environment = without_settings(os.environ) | {"NUMERAL_REPOSITORY": str(folder), "NUMERAL_FEEDBACK": "off"}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        running.append(process)
        lines = []
        while not lines or "Draw a digit" not in lines[-1]:
            line = process.stdout.readline()
            assert line, lines
            lines.append(line)
        return process, lines

    yield begin
    for process in running:
        process.terminate()
        process.wait(ENDS_WITHIN)
        process.stdout.close()


def page(lines: list[str]) -> str:
    return next(word for word in lines[-1].split() if word.startswith("http://127.0.0.1:"))


def is_there(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/healthz", timeout=ENDS_WITHIN) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_command_starts_the_service_and_the_page_and_one_signal_stops_both(repository, show, free_port, number):
    publish(repository, seed=1)
    process, lines = show(free_port)
    url = page(lines)
    assert is_there(url)
    if number == signal.SIGINT:  # a terminal sends it to all programs of the command
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait(ENDS_WITHIN) == 0
    assert not is_there(url)
    eventually(lambda: not _listens(free_port))


def test_a_service_that_is_there_is_asked_and_stays(repository, folder, serve, show):
    publish(repository, seed=1)
    port = int(serve(folder).address.rpartition(":")[2])
    process, lines = show(port)
    assert "answers at" in lines[0]
    assert is_there(page(lines))
    process.terminate()
    assert process.wait(ENDS_WITHIN) == 0
    assert _listens(port)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=ENDS_WITHIN).close()
    except OSError:
        return False
    return True
