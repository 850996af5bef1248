"""What holds with every profile: containers, images, predictions, the page, the schedule, restarts."""

import json
import sys
import time
from pathlib import Path

import httpx
from compose_project import (
    ADDRESS,
    PAGE,
    PATIENCE,
    PREFECT,
    ROOT,
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
from compose_report import Part, Probe

from service.client import Recognizer

PICTURE, DIGIT = Path("examples/seven.png"), 7
SERVICES = ("prefect-server", "scheduler", "service", "web")

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
    for name, package in (("service", "prefect"), ("scheduler", "grpc"), ("web", "prefect"), ("web", "obstore")):
        answer = compose("exec", "-T", name, "python", "-c", f"import {package}", may_fail=True)
        probe.check("ModuleNotFoundError" in answer.stderr, f"{package} cannot be imported in {name}", answer)
    refusal = inside("service", "python", "-c", TRY_TO_WRITE, "/models")
    probe.check("Read-only file system" in refusal, "the service cannot write to the versions", refusal or "written")


def predict_from_outside(probe: Probe) -> None:
    """The first version replaces the pretrained one; then the command line asks from outside the containers."""
    words = compose("logs", "--no-color", "service").stdout
    probe.check("serving the pretrained version" in words, "the pretrained version served first", words[-800:])
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(ROOT / PICTURE).model_version == champion(), "the first version answers")
    command = [sys.executable, "-m", "service", "predict", str(ROOT / PICTURE), "--json", "--address", ADDRESS]
    [reading] = json.loads(run(*command).stdout)
    good = (reading["digit"], reading["model_version"]) == (DIGIT, champion())
    probe.check(good, f"{PICTURE} is read as a {DIGIT} by the champion", reading)


def show_the_page(probe: Probe) -> None:
    """The page is served under the names of this machine, and reads a picture without the browser having a token."""
    page = httpx.get(PAGE)
    probe.check(page.status_code == 200 and "<main" in page.text, f"the page is served at {PAGE}", page.status_code)
    reply = httpx.post(
        f"{PAGE}/page/read", content=(ROOT / PICTURE).read_bytes(), headers={"Content-Type": "image/png"}
    )
    probe.check(reply.json().get("digit") == DIGIT, f"the page reads {PICTURE} as a {DIGIT}", reply.text[:300])
    status = httpx.get(PAGE, headers={"Host": "elsewhere.example"}).status_code
    probe.check(status == 421, "the page does not answer to the name of another host", status)


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
    with calls_from_outside(ROOT / PICTURE) as calls:
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
        wait_for(
            lambda: client.recognize(ROOT / PICTURE).model_version == old, f"version {old} answers after a rollback"
        )
    probe.check(champion() == old, f"a rollback restores version {old}", champion())


def restart_the_scheduler(probe: Probe) -> None:
    """A restart neither loses the schedule nor starts a training."""
    registered, before = deployment(), versions()
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
    words = compose("logs", "--no-color", "--tail", "3", "web").stdout
    probe.check("every request was answered" in words, "the web server let its requests finish", words)
    compose("down")
    compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", f"{PATIENCE:.0f}")
    probe.check(versions() == before, "after the start, nothing was trained again", versions())
    with Recognizer(ADDRESS) as client:
        reading = client.recognize(ROOT / PICTURE)
    good = (reading.digit, reading.model_version) == (DIGIT, serving)
    probe.check(good, f"version {serving} answers again", reading)


PARTS: list[Part] = [
    ("The containers are healthy and isolated", check_containers),
    ("Each image contains only its own side", check_images),
    ("A client outside the containers gets answers", predict_from_outside),
    ("The page is shown", show_the_page),
    ("The schedule runs", run_the_schedule),
    ("Retraining while calls come from outside", retrain_under_load),
    ("The scheduler is restarted", restart_the_scheduler),
    ("Prefect's server is restarted", restart_the_server),
    ("Everything is stopped, removed but for the volumes, and started again", stop_and_start),
]
