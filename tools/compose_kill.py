"""Every container is killed in turn: what goes on meanwhile, and that each comes back by itself."""

import threading

from compose_basics import DIGIT, PICTURE
from compose_project import (
    ADDRESS,
    ROOT,
    calls_from_outside,
    champion,
    compose,
    containers,
    deployment,
    inside,
    is_on,
    kill,
    run_deployment,
    versions,
    wait_for,
)
from compose_report import Part, Probe

from service.client import Recognizer

RETRAIN = (
    "python",
    "-m",
    "pipelines",
    "retrain",
    "--set",
    "train.seed=3",
    "--set",
    "train.epochs=12",
    "--promote",
    "never",
)
CHECKPOINT = "ls /data/work/*/train.checkpoint"


def kill_each(probe: Probe) -> None:
    """The service answers while any other container is down, and answers the same once it was killed itself."""
    before, serving, registered = versions(), champion(), deployment()
    for name in sorted(set(containers()) - {"service"}):
        with calls_from_outside(ROOT / PICTURE) as calls:
            kill(name)
            reached = len(calls.versions)
            wait_for(lambda reached=reached: len(calls.versions) > reached, "calls go on")
        sentence = f"{name} is killed and comes back; none of {len(calls.versions)} calls failed meanwhile"
        probe.check(not calls.failures, sentence, calls.failures[:3])
    kill("service")
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(ROOT / PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, serving)
    probe.check(good, f"the service is killed and comes back with version {serving}", reading)
    probe.check(versions() == before, "nothing was trained again", versions())
    now = deployment()
    probe.check(now["id"] == registered["id"] and is_on(now), "the schedule is unchanged and active", now)
    state = run_deployment()
    probe.check(state == "COMPLETED", "a run of the schedule completes", state)


def kill_a_training(probe: Probe) -> None:
    """The same command goes on after the last epoch, and publishes."""
    before = versions()
    training = threading.Thread(target=lambda: compose("exec", "-T", "scheduler", *RETRAIN, may_fail=True))
    training.start()
    wait_for(
        lambda: compose("exec", "-T", "scheduler", "sh", "-c", CHECKPOINT, may_fail=True).stdout, "an epoch is done"
    )
    kill("scheduler")
    training.join()
    probe.check(versions() == before, "a training that is killed publishes nothing", versions())
    words = inside("scheduler", "sh", "-c", f"{' '.join(RETRAIN)} 2>&1")
    probe.check(
        "it goes on after epoch" in words and len(versions()) == len(before) + 1,
        "the same command goes on, and publishes",
        words,
    )


PARTS: list[Part] = [
    ("Each container is killed in turn", kill_each),
    ("The scheduler is killed while it trains", kill_a_training),
]
