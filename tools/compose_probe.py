"""The checks that `make compose-test` makes once the containers are up; tools/compose_test.sh starts it.

Each check prints one sentence; the exit status is 0 only if all of them pass.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
from compose_project import (  # noqa: E402
    ADDRESS,
    PATIENCE,
    PREFECT,
    calls_from_outside,
    champion,
    compose,
    containers,
    deployment,
    inside,
    is_healthy,
    is_on,
    run,
    run_deployment,
    started_at,
    versions,
    wait_for,
)

from core.errors import NumeralError  # noqa: E402
from service.client import Recognizer  # noqa: E402

PICTURE, DIGIT = Path("examples/seven.png"), 7
SERVICES = ("prefect-server", "scheduler", "service")

# Run in the containers.
UIDS = """
from pathlib import Path
uids = set()
for process in Path("/proc").glob("[0-9]*"):
    try:
        uids.add(process.joinpath("status").read_text().partition("Uid:")[2].split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended meanwhile
print(*uids)
"""
TRY_TO_WRITE = """
import sys
try:
    open(sys.argv[1] + "/probe", "x").close()
except OSError as error:
    print(error.strerror)
"""
KILL_CHILD = """
import os, signal
from pathlib import Path
main = Path("/proc/1/task/1/children").read_text().split()[0]
os.kill(int(main), signal.SIGKILL)
"""


class Probe:
    """Prints every check, and counts those that fail."""

    def __init__(self) -> None:
        self.checks = self.failures = 0

    def check(self, good: bool, sentence: str, found: object = "") -> None:
        """Print one check; `found` is what was found instead, shown if it failed."""
        self.checks += 1
        self.failures += not good
        say(f"  ok      {sentence}" if good else f"  FAILED  {sentence}; found: {found}")


def main() -> int:
    """Make all checks; returns the exit status."""
    os.chdir(ROOT)
    probe, started = Probe(), time.monotonic()
    rooms: list[tuple[str, Callable[[Probe], None]]] = [
        ("Containers are up, and isolated", look_at_containers),
        ("Each image contains only its own side", look_at_images),
        ("A client outside gets answers", predict_from_outside),
        ("The schedule, and one run of it", run_what_is_scheduled),
        ("Retraining inside, with calls from outside", retrain_under_load),
        ("The scheduler is killed, and restarted", kill_the_scheduler),
        ("Prefect's server is restarted", restart_the_server),
        ("Everything stops, and starts again", stop_and_start),
    ]
    for title, look in rooms:
        say(f"\n{title} [{time.monotonic() - started:.0f} s]")
        try:
            look(probe)
        except (NumeralError, OSError, RuntimeError, httpx.HTTPError, LookupError, ValueError) as error:
            probe.check(good=False, sentence="this part could be looked at to its end", found=repr(error))
    if probe.failures:
        say(f"\ncompose-test: FAILED: {probe.failures} of {probe.checks} findings are bad; they stand above")
    else:
        say(f"\ncompose-test: passed: {probe.checks} findings, all good, in {time.monotonic() - started:.0f} s")
    return 1 if probe.failures else 0


def look_at_containers(probe: Probe) -> None:
    """All are healthy, started in order, run without privileges, and are reachable only from this machine."""
    states = containers()
    for name in SERVICES:
        state = states[name]
        probe.check((state["State"], state["Health"]) == ("running", "healthy"), f"{name} is healthy", state)
        uids = inside(name, "python", "-c", UIDS).split()
        probe.check(uids != [] and "0" not in uids, f"no process of {name} is root's", uids)
        refusal = inside(name, "python", "-c", TRY_TO_WRITE, "/app")
        probe.check(
            "Read-only file system" in refusal, f"{name} cannot write outside its volumes", refusal or "written"
        )
    hosts = {port["URL"] for state in states.values() for port in state["Publishers"] or () if port["PublishedPort"]}
    probe.check(hosts == {"127.0.0.1"}, "ports are published on 127.0.0.1 alone", hosts)
    order = [started_at("prefect-server"), started_at("scheduler"), versions()[0]["created"]]
    probe.check(order == sorted(order), "the server started first, then the scheduler, which trained version 1", order)
    service = started_at("service")
    probe.check(service < order[-1], "the service did not wait for it: the pretrained version answered", service)


def look_at_images(probe: Probe) -> None:
    """Only the scheduler can train and write versions, and only the service has gRPC."""
    for name, package in (("service", "prefect"), ("scheduler", "grpc")):
        answer = compose("exec", "-T", name, "python", "-c", f"import {package}", may_fail=True)
        probe.check("ModuleNotFoundError" in answer.stderr, f"{package} cannot be imported in {name}", answer)
    refusal = inside("service", "python", "-c", TRY_TO_WRITE, "/models")
    probe.check("Read-only file system" in refusal, "the service cannot write to the versions", refusal or "written")


def predict_from_outside(probe: Probe) -> None:
    """The first trained version has replaced the pretrained one; `predict` works from outside the containers."""
    words = compose("logs", "--no-color", "service").stdout
    probe.check("serving the pretrained version" in words, "the pretrained version served first", words[-800:])
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(PICTURE).model_version == champion(), "the first version answers")
    command = [sys.executable, "-m", "service", "predict", str(PICTURE), "--json", "--address", ADDRESS]
    [reading] = json.loads(run(*command).stdout)
    good = (reading["digit"], reading["model_version"]) == (DIGIT, champion())
    probe.check(good, f"{PICTURE} is read as a {DIGIT} by the champion", reading)


def run_what_is_scheduled(probe: Probe) -> None:
    """Prefect's pages respond, the schedule is active, and a run of it succeeds in the container."""
    page = httpx.get(PREFECT, follow_redirects=True)
    probe.check("<html" in page.text.lower(), f"Prefect's pages are served at {PREFECT}", page.status_code)
    probe.check(is_on(deployment()), "the schedule is on, and its next run is planned", deployment())
    before = versions()
    state = run_deployment()
    probe.check(state == "COMPLETED", "a run of what is scheduled completes in the container", state)
    probe.check(versions() == before, "with nothing changed, it trained nothing", versions())


def retrain_under_load(probe: Probe) -> None:
    """A new version is served without a failed call, and a rollback restores the old one."""
    old = champion()
    with calls_from_outside(PICTURE) as calls:
        command = ("python", "-m", "pipelines", "retrain", "--set", "train.seed=2", "--set", "train.epochs=8", "--json")
        result = json.loads(inside("scheduler", *command))
        ended, new = time.monotonic(), str(result["version"])
        probe.check(result["outcome"] == "published" and result["promoted"], f"version {new} is promoted", result)
        wait_for(lambda: calls.last == new, f"version {new} answers")
        probe.check(
            good=True, sentence=f"version {new} answers, {time.monotonic() - ended:.1f} s after the command ended"
        )
        time.sleep(1)
    probe.check(not calls.failures, f"none of {len(calls.versions)} calls failed meanwhile", calls.failures[:3])
    orderly = calls.versions == sorted(calls.versions, key=int) and set(calls.versions) == {old, new}
    probe.check(orderly, f"replies named version {old}, then {new}, and never went back", set(calls.versions))
    inside("scheduler", "python", "-m", "pipelines", "models", "rollback")
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(PICTURE).model_version == old, f"version {old} answers after a rollback")
    probe.check(champion() == old, f"a rollback brings version {old} back", champion())


def kill_the_scheduler(probe: Probe) -> None:
    """A crash or restart neither loses the schedule nor trains anything."""
    registered, before, last_start = deployment(), versions(), started_at("scheduler")
    compose("exec", "-T", "scheduler", "python", "-c", KILL_CHILD, may_fail=True)  # killed with its container
    wait_for(
        lambda: started_at("scheduler") > last_start and is_healthy("scheduler"), "the killed scheduler is healthy"
    )
    probe.check(good=True, sentence="a scheduler that is killed comes back by itself")
    compose("restart", "scheduler")
    wait_for(lambda: is_healthy("scheduler"), "the restarted scheduler is healthy")
    now = deployment()
    probe.check(now["id"] == registered["id"] and is_on(now), "its schedule is still the same, and on", now)
    probe.check(versions() == before, "nothing was trained again", versions())


def restart_the_server(probe: Probe) -> None:
    """The scheduler survives a restart of the server."""
    compose("restart", "prefect-server")
    wait_for(lambda: is_healthy("prefect-server") and is_healthy("scheduler"), "both are healthy")
    state = run_deployment()
    probe.check(state == "COMPLETED", "after a restart of the server, what is scheduled still runs", state)


def stop_and_start(probe: Probe) -> None:
    """SIGTERM stops everything cleanly; after a new start, the published version is served without training."""
    before, serving = versions(), champion()
    compose("stop")
    for name, state in containers().items():
        # Prefect's server exits by the signal itself (143); 137 would be a kill after the grace period.
        orderly = (0, 143) if name == "prefect-server" else (0,)
        probe.check(state["ExitCode"] in orderly, f"{name} ends in order when it is stopped", state["ExitCode"])
    words = compose("logs", "--no-color", "--tail", "3", "service").stdout
    probe.check("every call was answered" in words, "the service let its calls finish", words)
    compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", f"{PATIENCE:.0f}")
    probe.check(versions() == before, "after a new start, nothing was trained again", versions())
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, serving)
    probe.check(good, f"version {serving} answers again", reading)


def say(sentence: str) -> None:
    """Print one line at once."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
