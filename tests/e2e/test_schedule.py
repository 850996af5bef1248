"""`python -m pipelines schedule`: it fires, runs never overlap, and it survives a restart."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from core.feedback import FeedbackFolder
from core.feedback_item import FeedbackItem
from pipelines.schedule.heartbeat import Heartbeat
from pipelines.schedule.journal import Journal
from tests.e2e.workshop import ROOT, Workshop, processes_that_mention
from tests.patience import eventually
from tests.prefect_server import state_of

POLL_SECONDS = 2
WAITS = pytest.mark.timeout(1800)
"""For tests that may have to wait for each other."""
ARGUMENTS = ("schedule", "--cron", "* * * * *", "--train-if-empty", "--set", "train.epochs=1")


@pytest.fixture
def deployment_of_ours(shared_folder: Path) -> Iterator[None]:
    """Schedulers with one server share one deployment, and tests in several processes share the server."""
    with (shared_folder / "deployment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def scheduling(workshop: Workshop) -> Iterator["subprocess.Popen[str]"]:
    """A scheduler that is up; it is stopped as a container is."""
    log = workshop.repository.parent / "schedule.log"
    with log.open("w") as stream:
        process = workshop.start("pipelines", *ARGUMENTS, stdout=stream, stderr=stream)
        try:
            eventually(lambda: "schedule: retrain mlp" in log.read_text() or process.poll() is not None, "it is up")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


@WAITS
@pytest.mark.usefixtures("deployment_of_ours")
def test_a_schedule_fires_and_never_runs_twice_at_once_and_survives_a_restart(
    workshop: Workshop, prefect_server: str
) -> None:
    workshop.environment["PREFECT_RUNNER_POLL_FREQUENCY"] = str(POLL_SECONDS)

    def ask(path: str, **body: Any) -> Any:
        def answer() -> httpx.Response | None:
            response = httpx.post(f"{prefect_server}{path}", json=body, timeout=30)
            return None if response.status_code == 503 else response.raise_for_status()  # 503: SQLite was busy

        return eventually(answer, f"the server answers {path}").json()

    def shown(run: dict[str, Any]) -> Any:
        return state_of(httpx.get(f"{prefect_server}/flow_runs/{run['id']}", timeout=60).json())["type"]

    with scheduling(workshop):
        assert [row["version"] for row in workshop.run("pipelines", "models", "list", "--json").json] == [1]
        [deployment] = ask("/deployments/filter", deployments={"name": {"any_": ["scheduled"]}})
        start = f"/deployments/{deployment['id']}/create_flow_run"
        long = ask(start, parameters={"overrides": ["train.epochs=5000"]})
        eventually(lambda: shown(long) == "RUNNING", "the run by hand works", seconds=400)
        second = ask(start)
        rival = workshop.run("pipelines", *ARGUMENTS)
        assert rival.status == 1
        assert "another scheduler holds" in rival.stderr
        time.sleep(2 * POLL_SECONDS)
        assert (shown(long), shown(second)) == ("RUNNING", "SCHEDULED"), "a second run waits for the first"

    httpx.delete(f"{prefect_server}/flow_runs/{second['id']}").raise_for_status()
    eventually(lambda: not processes_that_mention(str(workshop.repository)), "the run ended with its scheduler")
    kept = httpx.get(f"{prefect_server}/deployments/{deployment['id']}", timeout=60).json()
    assert not kept["paused"]
    assert [(s["schedule"]["cron"], s["active"]) for s in kept["schedules"]] == [("* * * * *", True)]

    def scheduled(state: str) -> list[dict[str, Any]]:
        of_deployment = {"id": {"any_": [deployment["id"]]}}
        runs = ask("/flow_runs/filter", deployments=of_deployment, sort="EXPECTED_START_TIME_ASC")
        return [run for run in runs if run["auto_scheduled"] and state_of(run)["type"] == state]

    before = {run["id"] for run in scheduled("COMPLETED")}
    with scheduling(workshop):
        # The server has planned a run for each of the next minutes. The next one is due now instead of within a minute.
        due = eventually(lambda: scheduled("SCHEDULED"), "a run is planned")[0]
        assert datetime.fromisoformat(due["expected_start_time"]).second == 0
        now = {"type": "SCHEDULED", "state_details": {"scheduled_time": datetime.now(UTC).isoformat()}}
        httpx.post(
            f"{prefect_server}/flow_runs/{due['id']}/set_state", json={"state": now}, timeout=60
        ).raise_for_status()
        eventually(
            lambda: [run for run in scheduled("COMPLETED") if run["id"] not in before],
            "the schedule fires after the restart, and its run works",
        )
    assert [row["version"] for row in workshop.run("pipelines", "models", "list", "--json").json] == [1]


@WAITS
@pytest.mark.usefixtures("deployment_of_ours")
def test_a_run_that_was_killed_with_its_scheduler_is_shown_as_crashed_afterwards(
    champion: Workshop, prefect_server: str
) -> None:
    workshop, feedback = champion, champion.repository.with_name("feedback")
    settings = {"NUMERAL_TRIGGER_SECONDS": "1", "NUMERAL_FEEDBACK": str(feedback)}
    workshop.environment.update(settings, PREFECT_RUNNER_POLL_FREQUENCY=str(POLL_SECONDS))
    journal = Journal(workshop.data_dir)
    log = workshop.repository.parent / "killed.log"

    def shown(run: str) -> Any:
        return state_of(httpx.get(f"{prefect_server}/flow_runs/{run}", timeout=60).json())["type"]

    def scheduler(*when: str) -> "subprocess.Popen[str]":
        arguments = ("schedule", *when, "--set", "train.epochs=5000")
        return workshop.start("pipelines", *arguments, stdout=stream, stderr=stream)

    with log.open("w") as stream:
        killed = scheduler("--interval", "300d", "--when-feedback", "1")
        eventually(lambda: "the next times are" in log.read_text() or killed.poll() is not None, "it is up")
        pixels = np.zeros((28, 28), np.uint8)
        pixels[4:24, 12:16] = 255
        FeedbackFolder(feedback).add(FeedbackItem(digit=1, pixels=pixels.tobytes(), received=datetime.now(UTC)))
        eventually(lambda: (record := journal.read()) and record.active, "new feedback starts a run")
        record = journal.read()
        assert record is not None
        [run] = record.active
        eventually(lambda: shown(run) == "RUNNING", "Prefect knows")
        eventually(lambda: Heartbeat.last(workshop.data_dir), "the scheduler leaves a sign of life")
        killed.kill()
        killed.wait()
        os.kill(record.active[run].pid, signal.SIGKILL)

        unhealthy = workshop.run("pipelines", "health", "--json")
        assert unhealthy.status == 1

        following = scheduler("--when-feedback", "1000")
        try:
            eventually(lambda: shown(run) == "CRASHED", "the run is shown as crashed")
            eventually(lambda: (beat := Heartbeat.last(workshop.data_dir)) and not beat.scheduler.is_dead(), "a beat")
            healthy = workshop.run("pipelines", "health", "--json").json
            assert (healthy["troubles"], healthy["lease"]) == ([], None)
            ours = {"deployments": {"name": {"any_": ["scheduled"]}}}
            found = httpx.post(f"{prefect_server}/deployments/filter", json=ours, timeout=30).json()
            assert [deployment["schedules"] for deployment in found] == [[]], "the interval is given up"
        finally:
            following.send_signal(signal.SIGTERM)
            assert following.wait(timeout=120) == 0, log.read_text()
    record = journal.read()
    assert record is not None
    assert record.active == {}
    assert "schedule: retraining: pieces of new feedback: 1, at least 1 were asked for" in log.read_text()


@WAITS
@pytest.mark.usefixtures("deployment_of_ours")
def test_a_scheduler_whose_prefect_server_is_gone_ends_instead_of_waiting_for_ever(
    workshop: Workshop, prefect_server: str
) -> None:
    with forwarding(prefect_server) as (address, cut):
        workshop.environment.update(PREFECT_API_URL=address, PREFECT_RUNNER_POLL_FREQUENCY="1")
        log = workshop.repository.parent / "lost.log"
        with log.open("w") as stream:
            process = workshop.start("pipelines", "schedule", "--interval", "300d", stdout=stream, stderr=stream)
            try:
                eventually(lambda: Heartbeat.last(workshop.data_dir) or process.poll() is not None, "it is up")
                cut()
                assert process.wait(timeout=300) == 1
            finally:
                process.kill()
                process.wait()
    assert "error: Prefect's server no longer answers\n" in log.read_text()


@contextmanager
def forwarding(url: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Another address of a server, and what cuts it off: everything is refused from then on."""
    port = httpx.URL(url).port
    connections: list[socket.socket] = []

    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                ours, theirs = listener.accept()[0], socket.create_connection(("127.0.0.1", port))
                connections.extend((ours, theirs))
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=pass_on, args=pair, daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))

    def cut() -> None:
        for end in (listener, *connections):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    try:
        yield str(httpx.URL(url).copy_with(port=listener.getsockname()[1])), cut
    finally:
        cut()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--cron", "every night"], "error: --cron 'every night': 2 fields, expected five"),
        (
            ["--cron", "0 3 * * *", "--timezone", "Berlin"],
            "error: --timezone 'Berlin': there is no such time zone; did",
        ),
        (["--interval", "10s"], "error: --interval '10s': expected at least 1m"),
        (["--cron", "@daily", "--data-dir", "/proc/cache"], "error: cannot write /proc/cache: "),
    ],
)
def test_a_schedule_that_cannot_work_is_refused_in_one_sentence(options: list[str], complaint: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pipelines", "schedule", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(complaint)
    assert ended.stderr.count("\n") == 1
