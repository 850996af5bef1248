"""The flow in Prefect's own process, as a schedule runs it: what the pages show of its stages, tags and end."""

import signal
from typing import Any

import httpx
import pytest

from tests.patience import eventually
from tests.pipelines.engine.processes import finish, python
from tests.prefect_server import Prefect, state_of

FLOW = """
import sys, time
from pathlib import Path
from prefect import runtime, tags
from pipelines import voice
from pipelines.engine.engine import Engine
from pipelines.engine.mirror import Mirror
from pipelines.order import Order
from pipelines.retrain import flow

def body(**given):
    voice.prepare()
    with flow._observer_in_this_run() as observer:
        engine = Engine(observer)
        print(runtime.flow_run.id, flush=True)
        with engine.stage("train"):
            if sys.argv[1] == "wait":
                time.sleep(600)
            if sys.argv[1] == "raise":
                raise ValueError("a mistake")
        engine.title("mlp → version 1", ("published", "recipe:mlp"))

def broken(self):
    raise RuntimeError("a mistake of Prefect")

if sys.argv[1] == "broken":
    Mirror.follow = broken
with tags("triggered", "recipe:mlp"):
    flow.as_flow(body)(repository=sys.argv[2])
"""


class Asking:
    """Asks the server about one run."""

    def __init__(self, url: str, run: str) -> None:
        self._url, self._run = url, run

    def run(self) -> Any:
        return httpx.get(f"{self._url}/flow_runs/{self._run}", timeout=60).raise_for_status().json()

    def stage(self) -> Any:
        query = {"flow_runs": {"id": {"any_": [self._run]}}}
        found = httpx.post(f"{self._url}/task_runs/filter", json=query, timeout=60).raise_for_status().json()
        return state_of(found[0]) if found else {"type": None}


@pytest.fixture
def flow(prefect: Prefect, prefect_environment: dict[str, str], tmp_path: Any) -> Any:
    started = []

    def start(what: str) -> Any:
        environment = prefect_environment | {
            "PREFECT_API_URL": prefect.url,
            "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        }
        process = python(FLOW, what, str(tmp_path), **environment)
        started.append(process)
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        assert run, process.stderr.read() if process.stderr else ""
        return process, Asking(prefect.url, run)

    yield start
    for process in started:
        finish(process)


def test_a_run_keeps_the_tags_that_it_has_and_gains_its_own(flow: Any) -> None:
    process, ask = flow("end")
    process.communicate(timeout=300)
    run = ask.run()
    assert (run["name"], sorted(run["tags"])) == ("mlp → version 1", ["published", "recipe:mlp", "triggered"])
    eventually(lambda: ask.stage()["type"] == "COMPLETED", "the stage is completed")


def test_a_run_that_is_stopped_in_a_stage_is_not_shown_as_killed(flow: Any) -> None:
    process, ask = flow("wait")
    eventually(lambda: ask.stage()["type"] == "RUNNING", "the stage is shown")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    eventually(lambda: ask.stage()["type"] == "CANCELLED", "the stage is cancelled")
    assert ask.stage()["message"] == "the run was stopped"


def test_an_error_of_prefect_beside_a_run_is_one_sentence_and_ends_nothing(flow: Any) -> None:
    process, ask = flow("broken")
    _, said = process.communicate(timeout=300)
    assert said == (
        "Prefect cannot be told of the stages of this run (RuntimeError: a mistake of Prefect): "
        "the run goes on without it\n"
    )
    assert state_of(ask.run())["type"] == "COMPLETED"


def test_a_stage_that_fails_is_failed_with_its_reason(flow: Any) -> None:
    process, ask = flow("raise")
    process.communicate(timeout=300)
    eventually(lambda: ask.stage()["type"] == "FAILED", "the stage has failed")
    assert ask.stage()["message"] == "ValueError: a mistake"
