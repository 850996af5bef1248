"""Real processes and real signals: one sentence, the exit status of the signal, and never a wait."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.schedule.journal import Journal
from tests.pipelines.engine.processes import finish, python

ORDERLY = """
import time
from pipelines.engine.engine import Engine
from pipelines.engine.observed import Kind, engine_of
from pipelines.engine.stopping import stopping
with stopping(), engine_of(Kind.PLAIN, "", {}) as engine, engine.stage("evaluate"):
    print("ready", flush=True)
    time.sleep(600)
"""
WRAPPING = """
import time
from pipelines.engine.engine import Engine
from pipelines.engine.observed import Kind, engine_of
from pipelines.engine.stopping import stopping
with stopping(), engine_of(Kind.PLAIN, "", {}) as engine, engine.stage("evaluate"):
    try:
        print("ready", flush=True)
        time.sleep(600)
    except BaseException as error:
        raise ValueError("an error of a library") from error
"""
REACHING_OUT = """
import os, signal
from core.errors import RepositoryError
from pipelines.engine.observed import Kind, engine_of
from pipelines.engine.stopping import stopping

def step():
    print("tried", flush=True)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except BaseException as error:
        raise RepositoryError("an error of a store") from error

with stopping(), engine_of(Kind.PLAIN, "", {}) as engine:
    engine.reaching_out(step)()
"""
RECORDED = """
import os, signal, sys
from pathlib import Path
from pipelines import preflight
from pipelines.engine.observed import Kind, engine_of
from pipelines.engine.stopping import stopping
from pipelines.order import Order
from pipelines.retrain import job

def check(order):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except BaseException as error:
        raise OSError("an error of a library") from error

preflight.check = check
with stopping(), engine_of(Kind.PLAIN, "", {}) as engine:
    engine.announce = lambda notice: print("announced", flush=True)
    job.retrain(Order(repository=sys.argv[1], data_dir=Path(sys.argv[1])), engine)
"""
STUBBORN = """
import time
from pipelines.engine.stopping import stopping
with stopping():
    word = "ready"
    while True:
        try:
            print(word, flush=True)  # within the block, so that no signal comes before it
            time.sleep(600)
        except BaseException:
            word = "swallowed"
"""
PATIENT = STUBBORN.replace(
    "with stopping", "from pipelines.engine import stopping as module; module._LAST_SECONDS = 600\nwith stopping"
)
DEAF = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + ORDERLY


def begun(code: str) -> "subprocess.Popen[str]":
    process = python(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_signal_ends_a_run_with_one_sentence_and_its_own_status(
    number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    process = begun(ORDERLY)
    send(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert said == "stopped in the stage 'evaluate'; run the same command again to go on\n"
    assert process.returncode == 128 + number


def test_a_library_that_makes_an_error_of_its_own_of_a_signal_changes_nothing() -> None:
    process = begun(WRAPPING)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert said == "stopped in the stage 'evaluate'; run the same command again to go on\n"
    assert process.returncode == 128 + signal.SIGTERM


def test_a_step_that_reaches_out_is_not_tried_again_when_the_run_is_stopped() -> None:
    printed, said = python(REACHING_OUT).communicate(timeout=60)
    assert printed == "tried\n"
    assert said == "stopped before the first stage; run the same command again to go on\n"


def test_a_stop_outside_of_stages_is_neither_recorded_nor_told_as_a_failure(tmp_path: Path) -> None:
    printed, said = python(RECORDED, str(tmp_path)).communicate(timeout=60)
    assert (printed, said) == ("", "stopped before the first stage; run the same command again to go on\n")
    record = Journal(tmp_path).read()
    assert record is not None
    assert (record.last_failure, record.active) == (None, {})


def test_a_run_that_swallows_the_signal_ends_all_the_same() -> None:
    process = begun(STUBBORN)
    process.send_signal(signal.SIGTERM)
    printed, said = process.communicate(timeout=60)
    assert printed == "swallowed\n"
    assert said == "stopped; run the same command again to go on\n"
    assert process.returncode == 128 + signal.SIGTERM


def test_a_second_signal_ends_a_run_at_once() -> None:
    process = begun(PATIENT)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "swallowed\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT


def test_a_signal_that_the_run_was_started_to_ignore_stays_ignored() -> None:
    process = begun(DEAF)
    try:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM
    finally:
        finish(process)
