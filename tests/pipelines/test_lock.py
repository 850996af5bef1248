"""A lock that one process holds at a time, and that ends with it."""

import fcntl
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from core.errors import StorageError
from core.shipped import ROOT
from pipelines.lock import Holder, locked, locked_if_free

HOLDING = """
import sys
from pathlib import Path
from pipelines.lock import locked
with locked(Path(sys.argv[1]), print, print):
    print("held", flush=True)
    sys.stdin.read()
"""


def silent(words: str) -> None:
    """Nobody listens."""


def other_process(path: Path) -> "subprocess.Popen[str]":
    """A process that has the lock until its input ends."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_that_another_process_holds_is_waited_for_and_its_holder_named(tmp_path: Path) -> None:
    with other_process(tmp_path / "lock") as other:
        waited, entered = Event(), Event()
        said: list[str] = []

        def waiting(holder: str) -> None:
            said.append(holder)
            waited.set()

        def enter() -> None:
            with locked(tmp_path / "lock", waiting, silent):
                entered.set()

        thread = Thread(target=enter)
        thread.start()
        assert waited.wait(60)
        assert not entered.is_set()
        assert said[0].startswith(f"process {other.pid} on ")
        assert other.stdin is not None
        other.stdin.close()
        assert entered.wait(60)
        thread.join()
        assert len(said) == 1
    assert list(tmp_path.iterdir()) == [], "the last holder removes the file"


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    with other_process(tmp_path / "lock") as other:
        with locked_if_free(tmp_path / "lock") as free:
            assert not free
        other.send_signal(signal.SIGKILL)
        other.wait()
        with locked_if_free(tmp_path / "lock") as free:
            assert free


def test_of_many_threads_at_once_one_is_inside_at_any_moment(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter() -> None:
        for _ in range(5):
            with locked(tmp_path / "lock", silent, silent):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_holder_that_has_not_said_who_it_is_yet_is_another_process(content: str, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(content)
    told: list[str] = []
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def waiting(holder: str) -> None:
            told.append(holder)
            fcntl.flock(file, fcntl.LOCK_UN)

        with locked(path, waiting, silent):
            assert told == ["another process"]


def test_without_locks_in_the_file_system_the_block_is_entered_with_a_warning(tmp_path: Path, lockless: None) -> None:
    said: list[str] = []
    with locked(tmp_path / "lock", silent, said.append):
        assert "knows no locks (No locks available), so nothing keeps two runs apart" in said[0]


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="something else is in its place"),
        locked(tmp_path / "file" / "lock", silent, silent),
    ):
        pass


def test_a_holder_is_named_by_process_machine_and_time() -> None:
    assert str(Holder(7, "here", "2026-01-31 03:00:00 UTC")) == "process 7 on here, since 2026-01-31 03:00:00 UTC"
