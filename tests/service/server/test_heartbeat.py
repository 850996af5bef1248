"""When the supervisor takes a silent worker for one that hangs."""

import os
import signal
import subprocess
from itertools import count

import pytest

from service.server.heartbeat import BUSY, LOOKS, Heartbeat, Life, Watch, life_of
from tests.patience import eventually

LIMIT = 5.0
LOOK = LIMIT / LOOKS
ASLEEP = Life(runnable=False, runs="1")


def looks_until_replaced(watch: Watch, elapsed: float = LOOK) -> int:
    """After how many looks without a beat the worker is replaced."""
    return next(look for look in range(1, 10_000) if watch.silent(elapsed) is not None)


@pytest.fixture
def heartbeat() -> Heartbeat:
    return Heartbeat()


def test_a_worker_that_is_silent_and_does_nothing_is_replaced_at_the_limit(heartbeat):
    # The first look compares its runs with none before, so it counts as having run.
    assert looks_until_replaced(Watch(heartbeat, LIMIT, lambda: ASLEEP)) == LOOKS + 1


def test_a_beat_starts_the_time_anew(heartbeat):
    watch = Watch(heartbeat, LIMIT, lambda: ASLEEP)
    for _ in range(LOOKS):
        assert watch.silent(LOOK) is None
    heartbeat.beat()
    assert watch.silent(LOOK) is None
    assert looks_until_replaced(watch) == LOOKS


def test_a_worker_that_waits_for_a_processor_is_only_replaced_much_later(heartbeat):
    watch = Watch(heartbeat, LIMIT, lambda: Life(runnable=True, runs="1"))
    assert looks_until_replaced(watch) == BUSY * LOOKS


def test_a_worker_whose_main_thread_has_run_is_only_replaced_much_later(heartbeat):
    number = count()
    watch = Watch(heartbeat, LIMIT, lambda: Life(runnable=False, runs=str(next(number))))
    assert looks_until_replaced(watch) == BUSY * LOOKS


def test_time_in_which_the_supervisor_itself_did_not_run_does_not_count(heartbeat):
    watch = Watch(heartbeat, LIMIT, lambda: ASLEEP)
    assert looks_until_replaced(watch, elapsed=1000 * LIMIT) > LOOKS // 2


def test_a_limit_of_0_replaces_nothing(heartbeat):
    watch = Watch(heartbeat, 0, lambda: ASLEEP)
    assert all(watch.silent(1000) is None for _ in range(10 * BUSY * LOOKS))


def test_a_stopped_process_does_not_run_and_a_working_one_does():
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as process:
        try:
            before = life_of(process.pid)
            eventually(lambda: life_of(process.pid).runs != before.runs)
            os.kill(process.pid, signal.SIGSTOP)
            eventually(lambda: not life_of(process.pid).runnable)
            assert life_of(process.pid) == life_of(process.pid)
        finally:
            process.kill()


def test_a_process_of_which_the_kernel_says_nothing_counts_as_busy(tmp_path):
    assert life_of(1, proc=tmp_path).runnable


def test_a_kernel_without_schedstat_tells_by_the_processor_time_whether_one_ran(tmp_path):
    (tmp_path / "7").mkdir()
    stat = tmp_path / "7/stat"
    stat.write_text("7 (a name) with ) in it) S 1 7 7 0 -1 0 0 0 0 0 12 3 0 0")
    before = life_of(7, proc=tmp_path)
    assert not before.runnable
    stat.write_text("7 (a name) with ) in it) S 1 7 7 0 -1 0 0 0 0 0 13 3 0 0")
    assert life_of(7, proc=tmp_path) != before
