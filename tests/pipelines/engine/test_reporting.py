"""Prefect is told of a job by a process of its own: what its pages show, and what becomes of the job without it.

The jobs are real processes with stages that do nothing, and the server is a real one, behind a relay that can fail.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from core.shipped import ROOT
from tests.patience import eventually
from tests.pipelines.engine.processes import PATIENCE, finish, python
from tests.pipelines.engine.relay import Relay
from tests.prefect_server import Prefect, state_of

JOB = """
import sys
from types import SimpleNamespace
from pipelines import voice
from pipelines.engine import engine as engine_module
from pipelines.engine.events import Shown
from pipelines.engine.observed import Kind, engine_of
from pipelines.engine.stopping import stopping
from pipelines.order import Order

engine_module._PAUSES = (0.0, 0.0)
voice.prepare()
tries = []

def flaky():
    tries.append(1)
    if len(tries) < 2:
        raise OSError("no route")

parameters = Order(repository=sys.argv[1], overrides=("train.epochs=2",)).parameters
with stopping(), engine_of(Kind.PREFECT, "pipelines.retrain.flow", parameters) as engine:
    with engine.stage("download"):
        engine.reaching_out(flaky)()
        voice.say("downloaded")
    with engine.stage("train"):
        for epoch in (1, 2):
            print("epoch", flush=True)
            word = sys.stdin.readline()
            if word == "raise\\n":
                raise ValueError("a mistake")
            if word == "kill\\n":
                engine._observer._process.kill()
            engine.epoch(SimpleNamespace(epoch=epoch, epochs=2, stopped=None))
    engine.show(lambda: [Shown("model-card", "The card.", "# A card")])
    engine.conclude("published: version 1")
print("over", flush=True)
"""

BEGINNING = "attempt 1 of 3 failed (OSError: no route); trying again in 0 s\ndownloaded\n"
"""What a job says until it trains."""


class Job:
    """A job that begins an epoch, and then another, when it is told to."""

    def __init__(self, server: str, environment: dict[str, str], name: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, name],
            cwd=ROOT,
            env=environment | {"PREFECT_API_URL": server},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def trains(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "epoch\n"

    def go_on(self, words: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()

    def says(self, words: str) -> None:
        """Read what it says up to these words."""
        assert self.process.stderr is not None
        assert any(words in line for line in self.process.stderr), f"it never says: {words}"

    def ends(self) -> tuple[int, str, str]:
        said = self.process.communicate(timeout=300)
        return self.process.returncode, *said


@pytest.fixture
def relay(prefect: Prefect) -> Iterator[Relay]:
    with Relay(prefect.url) as relay:
        yield relay


@pytest.fixture
def job(relay: Relay, prefect_environment: dict[str, str], tmp_path: Any) -> Iterator[Job]:
    """A job that is in its first epoch."""
    job = Job(relay.url, prefect_environment, str(tmp_path))
    try:
        job.trains()
        yield job
    finally:
        finish(job.process)


@pytest.fixture
def ask(prefect: Prefect) -> Callable[..., Any]:
    def ask(path: str, **body: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while (
            answer := httpx.post(f"{prefect.url}{path}", json=body, timeout=60)
        ).status_code == 503:  # SQLite is busy
            assert time.monotonic() < deadline
        return answer.raise_for_status().json()

    return ask


def run_of(job: Job, ask: Callable[..., Any]) -> dict[str, Any] | None:
    found = [
        run
        for run in ask("/flow_runs/filter", sort="START_TIME_DESC")
        if run["parameters"].get("repository") == job.name
    ]
    return found[0] if found else None


def wait_for(job: Job, ask: Callable[..., Any], state: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def holds() -> bool:
        found.update(run_of(job, ask) or {})
        return bool(found) and state_of(found)["type"] == state

    eventually(holds, f"the run is {state}")
    return found


def test_pages_show_stages_retries_lines_progress_card_and_what_came_of_it(job: Job, ask: Callable[..., Any]) -> None:
    job.go_on()
    job.trains()
    job.go_on()
    assert job.ends() == (0, "over\n", BEGINNING)
    run = wait_for(job, ask, "COMPLETED")
    assert (run["name"], run["state"]["message"]) == ("mlp train.epochs=2", "published: version 1")
    of_run = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    eventually(lambda: len(ask("/task_runs/filter", **of_run)) == 2, "both stages are recorded")
    eventually(
        lambda: {state_of(t)["type"] for t in ask("/task_runs/filter", **of_run)} == {"COMPLETED"}, "they are completed"
    )
    stages = {stage["name"]: stage["run_count"] for stage in ask("/task_runs/filter", **of_run)}
    assert stages == {"download": 2, "train": 1}
    shown = {artifact["key"]: artifact["data"] for artifact in ask("/artifacts/filter", **of_run)}
    assert shown == {"training": 100.0, "model-card": "# A card"}
    lines = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    eventually(lambda: "downloaded" in [line["message"] for line in ask("/logs/filter", **lines)], "the line is there")


def test_a_failed_run_is_failed_in_the_pages_with_its_reason(job: Job, ask: Callable[..., Any]) -> None:
    job.go_on("raise")
    status, _, said = job.ends()
    assert (status, "ValueError: a mistake" in said) == (1, True)
    assert wait_for(job, ask, "FAILED")["state"]["message"] == "ValueError: a mistake"


def test_a_run_that_is_killed_is_not_left_running_in_the_pages(job: Job, ask: Callable[..., Any]) -> None:
    wait_for(job, ask, "RUNNING")
    job.process.kill()
    assert "killed" in wait_for(job, ask, "CRASHED")["state"]["message"]


def test_a_reporter_that_is_killed_in_mid_run_is_told_in_a_sentence(job: Job, ask: Callable[..., Any]) -> None:
    wait_for(job, ask, "RUNNING")
    job.go_on("kill")
    job.trains()
    job.says("Prefect cannot be told of this run (the process that tells it has ended): the run goes on without it")
    job.go_on()
    assert job.ends() == (0, "over\n", "")


def test_a_flow_that_ends_before_its_job_is_told_in_a_sentence(
    prefect: Prefect, prefect_environment: dict[str, str]
) -> None:
    code = """
from pipelines import voice
from pipelines.engine.observed import Kind, engine_of
voice.prepare()
with engine_of(Kind.PREFECT, "tests.pipelines.engine.early_flow", {}):
    pass
"""
    process = python(code, **prefect_environment, PREFECT_API_URL=prefect.url)
    _, said = process.communicate(timeout=300)
    assert re.fullmatch(r"Prefect cannot be told of this run \(.*too early\): the run goes on without it\n", said), said


def test_an_interrupt_of_the_whole_group_ends_a_run_with_one_sentence(job: Job) -> None:
    os.killpg(job.process.pid, signal.SIGINT)
    status, _, said = job.ends()
    assert (status, said) == (130, f"{BEGINNING}stopped in the stage 'train'; run the same command again to go on\n")


@pytest.mark.parametrize("fault", ["hang", "leave"])
def test_a_server_that_fails_in_mid_run_delays_nothing_and_is_told_in_a_sentence(
    job: Job, relay: Relay, fault: str, ask: Callable[..., Any]
) -> None:
    wait_for(job, ask, "RUNNING")
    getattr(relay, fault)()
    job.says(f"Prefect's server at {relay.url} does not answer: the run goes on without it")
    job.go_on()
    job.trains()
    job.go_on()
    status, printed, said = job.ends()
    assert (status, printed) == (0, "over\n")
    assert said == "Prefect was not told how the run ended: its server did not take it in time\n"


def test_a_server_that_comes_back_is_told_what_it_missed(job: Job, relay: Relay, ask: Callable[..., Any]) -> None:
    wait_for(job, ask, "RUNNING")
    relay.leave()
    job.says("does not answer")
    job.go_on()
    job.trains()
    relay.come_back()
    job.says("Prefect's server answers again")
    job.go_on()
    assert job.ends() == (0, "over\n", "")
    wait_for(job, ask, "COMPLETED")
