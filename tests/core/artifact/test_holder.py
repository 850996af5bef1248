import os
import subprocess
import sys
from pathlib import Path

from core.artifact.holder import Holder

ROOT = Path(__file__).parents[3]


def test_a_process_that_lives_is_not_dead() -> None:
    mine = Holder.of_this_process()
    assert mine.pid == os.getpid()
    assert not mine.is_dead()


HOLD = "from core.artifact.holder import Holder; print(Holder.of_this_process().model_dump_json(), flush=True); input()"


def test_a_process_that_has_ended_is_dead_even_before_it_is_collected() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        holder = Holder.model_validate_json(process.stdout.readline())
        assert holder.pid == process.pid
        assert not holder.is_dead()
        earlier = holder.model_copy(update={"began": f"{int(holder.began) - 1}"})
        assert earlier.is_dead(), "the number belongs to a process that began at another time"
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert holder.is_dead()


def test_nobody_knows_whether_a_process_on_another_machine_is_dead() -> None:
    far = Holder.of_this_process().model_copy(update={"machine": "another", "pid": 2**22 + 1})
    assert not far.is_dead()
    assert not far.model_copy(update={"machine": ""}).is_dead()
