"""Servers that earlier runs left behind are ended, and nothing else is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.engine import leftover_servers
from tests.pipelines.engine.processes import lives

GONE = [2**22 + 1, "1"]  # beyond the highest number that Linux gives


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    folder = tmp_path / "numeral-servers"
    folder.mkdir()
    return folder


@pytest.fixture
def server() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def identity(process: int) -> list[object]:
    return [process, leftover_servers._started(process)]


def test_a_noted_server_whose_owner_is_gone_is_killed(notes: Path, server: "subprocess.Popen[bytes]") -> None:
    (notes / "1.json").write_text(json.dumps({"server": identity(server.pid), "owner": GONE}))
    assert leftover_servers.end_all() == 1
    assert server.wait(60) == -9
    assert list(notes.iterdir()) == []


def test_a_server_of_a_living_owner_is_left_alone(notes: Path, server: "subprocess.Popen[bytes]") -> None:
    (notes / "1.json").write_text(json.dumps({"server": identity(server.pid), "owner": identity(os.getpid())}))
    assert leftover_servers.end_all() == 0
    assert lives(server.pid)


def test_another_process_with_the_number_of_a_server_is_left_alone(
    notes: Path, server: "subprocess.Popen[bytes]"
) -> None:
    (notes / "1.json").write_text(json.dumps({"server": [server.pid, "0"], "owner": GONE}))
    assert leftover_servers.end_all() == 0
    assert lives(server.pid)
    assert list(notes.iterdir()) == [], "what it noted is gone"


@pytest.mark.parametrize("text", ["", "{}", '{"server": 1, "owner": 2}', "[]"])
def test_a_note_that_is_none_is_passed_over(notes: Path, text: str) -> None:
    (notes / "1.json").write_text(text)
    assert leftover_servers.end_all() == 0


def test_a_server_is_noted_while_it_runs(notes: Path, server: "subprocess.Popen[bytes]") -> None:
    with leftover_servers.noted(server.pid):
        [note] = notes.iterdir()
        assert json.loads(note.read_text()) == {"server": identity(server.pid), "owner": identity(os.getpid())}
    assert list(notes.iterdir()) == []
