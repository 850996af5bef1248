"""A running compose project, seen from outside: its containers and versions, Prefect's API, and calls to the service.

`compose` (docker compose with the right project) must be on the PATH, and the published ports in NUMERAL_PORT,
NUMERAL_PREFECT_PORT and NUMERAL_WEB_PORT.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from core.errors import NumeralError
from service.client import Recognizer

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = f"127.0.0.1:{os.environ.get('NUMERAL_PORT', '8500')}"
PREFECT = f"http://127.0.0.1:{os.environ.get('NUMERAL_PREFECT_PORT', '4200')}"
PAGE = f"http://127.0.0.1:{os.environ.get('NUMERAL_WEB_PORT', '8080')}"
PATIENCE = 180.0
"""Seconds after which an event that is awaited counts as failed."""


# Containers


def compose(*arguments: str, may_fail: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run `compose`."""
    return run("compose", *arguments, may_fail=may_fail)


def inside(name: str, *command: str) -> str:
    """The output of a command in a running container."""
    return compose("exec", "-T", name, *command).stdout


def run(*command: str, may_fail: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end.

    Raises:
        RuntimeError: It failed, and `may_fail` is not set.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()[-800:]}")
    return done


def replicas(name: str) -> list[dict[str, Any]]:
    """The state of every container of a service."""
    lines = compose("ps", "--all", "--format", "json", name).stdout.splitlines()
    return [json.loads(line) for line in lines]


def containers() -> dict[str, dict[str, Any]]:
    """The state of every container, by service; of one of them, if a service has several."""
    lines = compose("ps", "--all", "--format", "json").stdout.splitlines()
    return {state["Service"]: state for state in map(json.loads, lines)}


def is_healthy(name: str) -> bool:
    """Whether all containers of a service run, and are healthy where they say so."""
    return all(state["State"] == "running" and state["Health"] in {"healthy", ""} for state in replicas(name))


def started_at(name: str) -> str:
    """When a container was last started, in UTC, as ISO 8601; the first of them, if a service has several."""
    identity = compose("ps", "--all", "--quiet", name).stdout.split()[0]
    return run("docker", "inspect", "--format", "{{.State.StartedAt}}", identity).stdout.strip()


def kill(name: str, index: int = 1) -> None:
    """Kill the main process of a container, as a crash would, and wait until it is running and healthy again.

    From inside, because a container that is killed through the engine counts as stopped on purpose.
    """
    before = _starts(name)
    # Process 1 reaps orphans and forwards signals; what it has started is the program.
    command = "kill -9 $(cut -d' ' -f1 /proc/1/task/1/children)"
    compose("exec", "-T", "--index", str(index), name, "sh", "-c", command, may_fail=True)  # it ends with the container
    wait_for(lambda: _starts(name) != before and is_healthy(name), f"{name}, which was killed, is healthy again")


def _starts(name: str) -> list[str]:
    identities = compose("ps", "--all", "--quiet", name).stdout.split()
    return run("docker", "inspect", "--format", "{{.State.StartedAt}}", *identities).stdout.split()


# Versions


def versions() -> list[dict[str, Any]]:
    """The versions that are published."""
    rows: list[dict[str, Any]] = json.loads(
        inside("scheduler", "python", "-m", "pipelines", "models", "list", "--json")
    )
    return rows


def champion() -> str:
    """The champion."""
    [number] = [row["version"] for row in versions() if "champion" in row["aliases"]]
    return str(number)


# Prefect's API


def deployment() -> dict[str, Any]:
    """The deployment that the scheduler registered: there is only one, however often the scheduler started."""
    [found] = _post("deployments/filter", {})
    return dict(found)


def is_on(schedule_of: dict[str, Any]) -> bool:
    """Whether a deployment's schedule is active and runs are planned for it."""
    active = [schedule["active"] for schedule in schedule_of["schedules"]] == [True] and not schedule_of["paused"]
    planned = {
        "deployments": {"id": {"any_": [schedule_of["id"]]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    return active and bool(wait_for(lambda: _post("flow_runs/filter", planned), "runs are planned"))


def run_deployment() -> str:
    """Request one run of the deployment; gives its final state, e.g. COMPLETED."""
    flow_run = _post(f"deployments/{deployment()['id']}/create_flow_run", {})["id"]
    return str(wait_for(lambda: _final_state(flow_run), "the requested run ends"))


def _post(path: str, body: dict[str, Any]) -> Any:
    return _api("POST", path, json=body)


def _api(method: str, path: str, **options: Any) -> Any:
    """The answer of Prefect's API. 503 means that its database is busy: like Prefect's own client, try again."""

    def answer() -> httpx.Response | None:
        response = httpx.request(method, f"{PREFECT}/api/{path}", timeout=30, **options)
        return None if response.status_code == 503 else response.raise_for_status()

    return wait_for(answer, f"Prefect answers {path}").json()


def _final_state(flow_run: str) -> str | None:
    state = _api("GET", f"flow_runs/{flow_run}")["state"]["type"]
    return state if state in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None


# Time


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Evaluate a condition until it is true; gives its value.

    Raises:
        RuntimeError: It did not become true within `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {PATIENCE:.0f} s: {what}")
        time.sleep(0.2)
    return answer


@dataclass
class Calls:
    """The results of a client outside the containers, call by call."""

    versions: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def last(self) -> str | None:
        """The version that answered the latest call."""
        return self.versions[-1] if self.versions else None


@contextmanager
def calls_from_outside(picture: Path, **options: Any) -> Iterator[Calls]:
    """Call the service continuously while the context lasts; the options are those of the client, such as `tls`."""
    calls, leave, encoded = Calls(), threading.Event(), picture.read_bytes()

    def call() -> None:
        with Recognizer(ADDRESS, **options) as client:
            while not leave.wait(0.02):
                try:
                    calls.versions.append(client.recognize(encoded).model_version)
                except NumeralError as error:
                    calls.failures.append(str(error))

    caller = threading.Thread(target=call)
    caller.start()
    try:
        yield calls
    finally:
        leave.set()
        caller.join()
