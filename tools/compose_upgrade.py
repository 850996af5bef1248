"""An upgrade: what an earlier revision has left in the volumes is served and trained on by this one."""

import json
import os
from pathlib import Path
from typing import Any

from compose_basics import DIGIT, PICTURE
from compose_project import (
    ADDRESS,
    PREFECT,
    ROOT,
    champion,
    deployment,
    inside,
    is_on,
    run_deployment,
    versions,
    wait_for,
)
from compose_report import Part, Probe

from service.client import Recognizer

STATE = Path(os.environ.get("COMPOSE_TEST_STATE", "state.json"))


def leave_something(probe: Probe) -> None:
    """With the earlier revision: two versions, a piece of feedback, a run in Prefect's history."""
    settings = ("--set", "train.seed=2", "--set", "train.epochs=2", "--promote", "always")
    inside("scheduler", "python", "-m", "pipelines", "retrain", *settings)
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(ROOT / PICTURE).model_version == champion(), "the champion answers")
        client.send_feedback(ROOT / PICTURE, DIGIT)
    state = run_deployment()
    probe.check(state == "COMPLETED", "with the earlier revision, a run of the schedule completes", state)
    STATE.write_text(json.dumps(_found()), "utf-8")
    probe.check(len(versions()) >= 2, "it has published two versions", versions())


def find_it_again(probe: Probe) -> None:
    """With this revision: all of it is there, and goes on."""
    before, now = json.loads(STATE.read_text("utf-8")), _found()
    for what in before:
        probe.check(before[what] == now[what], f"{what} as before", (before[what], now[what]))
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(ROOT / PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, before["the champion is"])
    probe.check(good, f"version {before['the champion is']} of the earlier revision answers", reading)
    probe.check(is_on(deployment()), f"the schedule at {PREFECT} is active", deployment())
    inside("scheduler", "python", "-m", "pipelines", "models", "verify")
    settings = ("--set", "train.seed=4", "--set", "train.epochs=8", "--promote", "always", "--json")
    result = json.loads(inside("scheduler", "python", "-m", "pipelines", "retrain", *settings))
    probe.check(
        result["outcome"] == "published", "a retraining with the volumes of the earlier revision publishes", result
    )
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(ROOT / PICTURE).model_version == str(result["version"]), "it is served")
    probe.check(good=True, sentence=f"version {result['version']} answers")


def _found() -> dict[str, Any]:
    return {
        "the versions are": {str(row["version"]): row["weights_sha256"] for row in versions()},
        "the champion is": champion(),
        "the feedback is": inside("service", "sh", "-c", "cd /feedback && find . -type f -exec sha256sum {} + | sort"),
        "the schedule's number is": deployment()["id"],
    }


BEFORE: list[Part] = [("The earlier revision works", leave_something)]
AFTER: list[Part] = [("This revision goes on where the earlier one was", find_it_again)]
