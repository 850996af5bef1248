"""The checks of `make compose-test` on the running containers; started by tools/compose_test.sh.

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

# Programs that run in the containers.
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
    """Prints the result of every check, and counts the failures."""

    def __init__(self) -> None:
        self.checks = self.failures = 0

    def check(self, good: bool, sentence: str, found: object = "") -> None:
        """One check; `found` is printed if it fails."""
        self.checks += 1
        self.failures += not good
        say(f"  ok      {sentence}" if good else f"  FAILED  {sentence}; found: {found}")


def main() -> int:
    """Run all checks; 0 if they pass."""
    os.chdir(ROOT)
    probe, started = Probe(), time.monotonic()
    parts: list[tuple[str, Callable[[Probe], None]]] = [
        ("The containers are healthy and isolated", check_containers),
        ("Each image contains only its own side", check_images),
        ("A client outside the containers gets answers", predict_from_outside),
        ("The schedule runs", run_the_schedule),
        ("Retraining while calls come from outside", retrain_under_load),
        ("The scheduler is killed and restarted", kill_the_scheduler),
        ("Prefect's server is restarted", restart_the_server),
        ("Everything is stopped and started again", stop_and_start),
    ]
    for title, check in parts:
        say(f"\n{title} [{time.monotonic() - started:.0f} s]")
        try:
            check(probe)
        except (NumeralError, OSError, RuntimeError, httpx.HTTPError, LookupError, ValueError) as error:
            probe.check(good=False, sentence="this part ran to its end", found=repr(error))
    if probe.failures:
        say(f"\ncompose-test: FAILED: {probe.failures} of {probe.checks} checks failed, see above")
    else:
        say(f"\ncompose-test: passed: {probe.checks} checks in {time.monotonic() - started:.0f} s")
    return 1 if probe.failures else 0


def check_containers(probe: Probe) -> None:
    """The containers are healthy, started in order, unprivileged, and reachable from this machine only."""
    states = containers()
    for name in SERVICES:
        state = states[name]
        probe.check((state["State"], state["Health"]) == ("running", "healthy"), f"{name} is healthy", state)
        uids = inside(name, "python", "-c", UIDS).split()
        probe.check(uids != [] and "0" not in uids, f"no process of {name} runs as root", uids)
        refusal = inside(name, "python", "-c", TRY_TO_WRITE, "/app")
        probe.check(
            "Read-only file system" in refusal, f"{name} cannot write outside its volumes", refusal or "written"
        )
    hosts = {port["URL"] for state in states.values() for port in state["Publishers"] or () if port["PublishedPort"]}
    probe.check(hosts == {"127.0.0.1"}, "ports are published on 127.0.0.1 only", hosts)
    order = [started_at("prefect-server"), started_at("scheduler"), versions()[0]["created"]]
    probe.check(order == sorted(order), "the server started first, then the scheduler, which trained version 1", order)
    service = started_at("service")
    probe.check(service < order[-1], "the service did not wait for version 1: the pretrained version answered", service)


def check_images(probe: Probe) -> None:
    """Only one image trains and writes versions, and only the other serves gRPC."""
    for name, package in (("service", "prefect"), ("scheduler", "grpc")):
        answer = compose("exec", "-T", name, "python", "-c", f"import {package}", may_fail=True)
        probe.check("ModuleNotFoundError" in answer.stderr, f"{package} cannot be imported in {name}", answer)
    refusal = inside("service", "python", "-c", TRY_TO_WRITE, "/models")
    probe.check("Read-only file system" in refusal, "the service cannot write to the versions", refusal or "written")


def predict_from_outside(probe: Probe) -> None:
    """The first version replaces the pretrained one; then the command line asks from outside the containers."""
    words = compose("logs", "--no-color", "service").stdout
    probe.check("serving the pretrained version" in words, "the pretrained version served first", words[-800:])
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(PICTURE).model_version == champion(), "the first version answers")
    command = [sys.executable, "-m", "service", "predict", str(PICTURE), "--json", "--address", ADDRESS]
    [reading] = json.loads(run(*command).stdout)
    good = (reading["digit"], reading["model_version"]) == (DIGIT, champion())
    probe.check(good, f"{PICTURE} is read as a {DIGIT} by the champion", reading)


def run_the_schedule(probe: Probe) -> None:
    """Prefect's pages are served, the schedule is active, and a run of it completes in the container."""
    page = httpx.get(PREFECT, follow_redirects=True)
    probe.check("<html" in page.text.lower(), f"Prefect's pages are served at {PREFECT}", page.status_code)
    probe.check(is_on(deployment()), "the schedule is active, and its next run is planned", deployment())
    before = versions()
    state = run_deployment()
    probe.check(state == "COMPLETED", "a run of the schedule completes in the container", state)
    probe.check(versions() == before, "it trained nothing, as nothing has changed", versions())


def retrain_under_load(probe: Probe) -> None:
    """A new version is served without a failed call, and a rollback restores the old one."""
    old = champion()
    with calls_from_outside(PICTURE) as calls:
        settings = ("--set", "train.seed=2", "--set", "train.epochs=8", "--promote", "always")
        command = ("python", "-m", "pipelines", "retrain", *settings, "--json")
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
    probe.check(orderly, f"replies named version {old}, then {new}, and never {old} again", set(calls.versions))
    inside("scheduler", "python", "-m", "pipelines", "models", "rollback")
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(PICTURE).model_version == old, f"version {old} answers after a rollback")
    probe.check(champion() == old, f"a rollback restores version {old}", champion())


def kill_the_scheduler(probe: Probe) -> None:
    """Neither a crash nor a restart loses the schedule or starts a training."""
    registered, before, last_start = deployment(), versions(), started_at("scheduler")
    compose("exec", "-T", "scheduler", "python", "-c", KILL_CHILD, may_fail=True)  # it ends with the container
    wait_for(
        lambda: started_at("scheduler") > last_start and is_healthy("scheduler"), "the killed scheduler is healthy"
    )
    probe.check(good=True, sentence="a scheduler that is killed is restarted automatically")
    compose("restart", "scheduler")
    wait_for(lambda: is_healthy("scheduler"), "the restarted scheduler is healthy")
    now = deployment()
    probe.check(now["id"] == registered["id"] and is_on(now), "its schedule is unchanged and active", now)
    probe.check(versions() == before, "nothing was trained again", versions())


def restart_the_server(probe: Probe) -> None:
    """The scheduler survives a restart of Prefect's server."""
    compose("restart", "prefect-server")
    wait_for(lambda: is_healthy("prefect-server") and is_healthy("scheduler"), "both are healthy")
    state = run_deployment()
    probe.check(state == "COMPLETED", "after a restart of the server, the schedule still runs", state)


def stop_and_start(probe: Probe) -> None:
    """SIGTERM stops everything cleanly; afterwards, the published version is served again at once, without training."""
    before, serving = versions(), champion()
    compose("stop")
    for name, state in containers().items():
        # Prefect's server is ended by the signal (143); 137 would be a kill after the grace period.
        clean = (0, 143) if name == "prefect-server" else (0,)
        probe.check(state["ExitCode"] in clean, f"{name} stops cleanly", state["ExitCode"])
    words = compose("logs", "--no-color", "--tail", "3", "service").stdout
    probe.check("every call was answered" in words, "the service let its calls finish", words)
    compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", f"{PATIENCE:.0f}")
    probe.check(versions() == before, "after the start, nothing was trained again", versions())
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, serving)
    probe.check(good, f"version {serving} answers again", reading)


def say(sentence: str) -> None:
    """Print one line."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
