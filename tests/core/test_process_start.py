import os
import subprocess
import sys

import pytest

from core.process_start import ENDED, PROC, process_start

pytestmark = pytest.mark.skipif(not (PROC / "self").is_dir(), reason="the system tells no start of a process")


def test_a_process_keeps_its_start_and_a_later_one_has_a_later_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        mine, other = process_start(os.getpid()), process_start(later.pid)
        assert mine == process_start(os.getpid())
        assert mine
        assert other
        assert int(mine) < int(other)
        later.kill()


def test_a_process_that_has_ended_and_is_not_collected_yet_has_no_start() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process_start(process.pid) == ENDED


def test_a_number_that_no_process_has_tells_nothing() -> None:
    assert process_start(2**22 + 1) is None, "beyond the highest number that Linux gives"


def test_a_program_with_blanks_and_parentheses_in_its_name_is_understood() -> None:
    renamed = "open('/proc/self/comm', 'w').write('a) Z (b'); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", renamed], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n", "it has its new name"
        assert (process_start(process.pid) or "").isdecimal()
        process.kill()
