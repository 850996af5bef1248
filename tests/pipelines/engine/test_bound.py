"""A bound process ends with the one that started it."""

import os
import signal
from pathlib import Path

import pytest

from pipelines.engine import bound
from tests.patience import eventually
from tests.pipelines.engine.processes import finish, lives, python

PARENT = """
import time
from pipelines.engine import bound
child = bound.start("tests.pipelines.engine.sleeper")
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("state", ["running", "stopped"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_bound_process_ends_with_its_parent_however_that_ends(number: signal.Signals, state: str) -> None:
    parent = python(PARENT)
    try:
        child = int(parent.stdout.readline())  # type: ignore[union-attr]
        threads = Path(f"/proc/{child}/task")
        eventually(lambda: len(list(threads.iterdir())) > 1, "it watches its lifeline")
        if state == "stopped":
            os.kill(child, signal.SIGSTOP)
        parent.send_signal(number)
        eventually(lambda: not lives(child), "it ends")
    finally:
        finish(parent)


def test_an_interrupt_of_the_parents_group_does_not_reach_a_bound_process() -> None:
    child = bound.start("tests.pipelines.engine.sleeper")
    try:
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
    finally:
        bound.end(child, within=10)
    assert child.returncode is not None


def test_a_bound_process_that_does_not_end_when_asked_is_killed() -> None:
    child = bound.start("tests.pipelines.engine.sleeper")
    os.kill(child.pid, signal.SIGSTOP)
    bound.end(child, within=0.1)
    assert child.returncode in (-signal.SIGKILL, -signal.SIGTERM)
