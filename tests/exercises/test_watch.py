"""Watch mode, in a pseudo-terminal, as a person uses it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from exercises.catalog import EXERCISES, ROOT, find
from exercises.folder import Folder
from tests.exercises.learner import environment, solve, write

PATIENCE = 120


class Terminal:
    """`python -m exercises` behind a pseudo-terminal."""

    def __init__(self, folder):
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exercises", "--folder", str(folder)],
            cwd=ROOT,
            env=environment() | {"TERM": "xterm"},
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            preexec_fn=_controlling_terminal,
        )

    def expect(self, pattern: str) -> str:
        """Wait until a text appears. Returns what came before it, and forgets all up to its end."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.text, re.DOTALL)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text!r}"
            if select.select([self.ours], [], [], 0.5)[0]:
                self.text += os.read(self.ours, 65536).decode("utf-8").replace("\r\n", "\n")
        before, self.text = self.text[: found.start()], self.text[found.end() :]
        return before

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def end(self) -> int:
        status = self.process.wait(PATIENCE)
        while select.select([self.ours], [], [], 0)[0]:
            self.text += os.read(self.ours, 65536).decode("utf-8")
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


def _controlling_terminal() -> None:
    """So that Ctrl-C of the terminal reaches the command, as it does a person's."""
    os.setsid()
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def terminal(tmp_path) -> Iterator[Terminal]:
    started = Terminal(tmp_path / "mine")
    yield started
    started.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mine"


def test_a_saved_file_is_checked_and_a_pass_leads_on_at_enter(terminal, folder):
    terminal.expect(r"01_dense_forward  \(1 of 17\)")
    assert "not written" not in terminal.expect("q quit")  # an untouched gap is no mistake
    write(folder, "1", find("1").solution.read_text("utf-8").replace("x @ W + b", "x @ W"))
    terminal.expect("the bias b is missing")
    terminal.expect("q quit")
    solve(folder, "1")
    terminal.expect("passed  01_dense_forward")
    shown = terminal.expect("Press Enter for the next one, 02_dense_backward")
    assert "NotImplementedError" not in shown
    terminal.press("\n")
    terminal.expect(r"02_dense_backward  \(2 of 17\)")
    shown = terminal.expect("q quit")
    assert "gap" not in shown
    terminal.press("q")
    assert terminal.end() == 0


def test_progress_is_remembered_by_the_next_start(folder):
    solve(folder, "1", "2")
    files = Folder(folder)
    for exercise in EXERCISES[:2]:
        files.remember(exercise, files.digest(exercise), passed=True)
    again = Terminal(folder)
    try:
        again.expect(r"03_relu  \(3 of 17\)")
        again.press("l")
        again.expect("passed   02")
        again.expect("2 of 17 have passed")
        again.press("q")
        assert again.end() == 0
    finally:
        again.close()


def test_hints_grow_and_the_solution_asks_first(terminal):
    terminal.expect("q quit")
    terminal.press("h")
    terminal.expect("Hint 1 of 3")
    terminal.press("h")
    terminal.expect("Hint 2 of 3")
    terminal.press("s")
    terminal.expect(r"Show the solution\? y / n")
    terminal.press("n")
    terminal.press("s")
    assert "x @ W + b  #" not in terminal.expect(r"Show the solution\? y / n")
    terminal.press("y")
    terminal.expect(r"return x @ W \+ b  # ")
    terminal.press("q")
    assert terminal.end() == 0


def test_reset_asks_first_and_then_shows_the_exercise_again(terminal, folder):
    terminal.expect("q quit")
    file = write(folder, "1", "def dense(x, W, b):\n    return 1 +\n")
    terminal.expect("This is not Python yet")
    terminal.expect("q quit")
    terminal.press("r")
    terminal.expect(r"by the original\? y / n")
    terminal.press("y")
    terminal.expect("Your text is kept in")
    terminal.expect(r"01_dense_forward  \(1 of 17\)")
    assert file.read_text("utf-8") == find("1").gap.read_text("utf-8")


def test_n_and_p_walk_through_the_exercises(terminal):
    terminal.expect("q quit")
    terminal.press("n")
    terminal.expect(r"02_dense_backward  \(2 of 17\)")
    terminal.press("p")
    terminal.expect(r"01_dense_forward  \(1 of 17\)")


def test_ctrl_c_ends_it_with_a_sentence_and_the_terminal_as_it_was(terminal):
    terminal.expect("q quit")
    terminal.press("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.text
    assert "What has passed is remembered." in terminal.text
    assert termios.tcgetattr(terminal.theirs)[3] == terminal.before[3]


def test_ctrl_c_during_a_check_ends_it_too(terminal, folder):
    terminal.expect("q quit")
    started = folder / "started"
    write(folder, "1", f"def dense(x, W, b):\n    open({str(started)!r}, 'w').close()\n    while True: pass\n")
    while not started.exists():
        time.sleep(0.05)
    terminal.press("\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.text


def test_a_file_that_is_replaced_as_editors_do_it_is_checked(terminal, folder):
    terminal.expect("q quit")
    beside = folder / "written-beside"
    beside.write_text(find("1").solution.read_text("utf-8"), "utf-8")
    beside.replace(folder / "01_dense_forward.py")
    terminal.expect("passed  01_dense_forward")


def test_keys_that_mean_nothing_repeat_what_may_be_pressed(terminal):
    terminal.expect("q quit")
    terminal.press("\x1b[A")  # an arrow
    terminal.press("x")
    terminal.expect("h hint")
    assert terminal.process.poll() is None
