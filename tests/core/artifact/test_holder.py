import os
import subprocess
import sys

from core.artifact.holder import Holder


def test_a_process_that_lives_is_not_dead() -> None:
    mine = Holder.of_this_process()
    assert mine.pid == os.getpid()
    assert not mine.is_dead()


def test_a_process_that_has_ended_is_dead_even_before_it_is_collected() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        began = Holder.of_this_process()
        other = began.model_copy(update={"pid": process.pid, "began": "0"})
        assert other.is_dead(), "the number belongs to a process that began at another time"
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert other.is_dead()


def test_nobody_knows_whether_a_process_on_another_machine_is_dead() -> None:
    far = Holder.of_this_process().model_copy(update={"machine": "another", "pid": 2**22 + 1})
    assert not far.is_dead()
    assert not far.model_copy(update={"machine": ""}).is_dead()
