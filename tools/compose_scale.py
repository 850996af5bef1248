"""The profile `scale`: calls are shared by two replicas, one may be killed, and the cluster sweeps and scores."""

import json
import tempfile
import threading
from pathlib import Path

from compose_basics import DIGIT, PICTURE
from compose_page import commands, type_in
from compose_project import ADDRESS, ROOT, calls_from_outside, compose, inside, is_healthy, kill, replicas, wait_for
from compose_report import Part, Probe

from service.client import Recognizer

CLUSTER = " --runner dask --address tcp://dask-scheduler:8786"


def share_calls(probe: Probe) -> None:
    """The calls of a single connection reach both replicas, streams too."""
    states = [(state["State"], state["Health"]) for name in ("service", "dask-worker") for state in replicas(name)]
    probe.check(len(states) == 4, "two replicas and two workers run", states)
    before = _answered()
    with Recognizer(ADDRESS) as client:
        digits = {client.recognize(ROOT / PICTURE).digit for _ in range(100)}
        streamed = list(client.recognize_stream(iter([ROOT / PICTURE] * 30)))
    probe.check(digits == {DIGIT}, "100 calls of one connection are answered", digits)
    shares = [now - then for now, then in zip(_answered(), before, strict=True)]
    probe.check(len(shares) == 2 and min(shares) >= 30, f"the replicas answered {shares} of them", shares)
    probe.check(len(streamed) == 30, "a stream of 30 pictures is answered", len(streamed))


def kill_a_replica(probe: Probe) -> None:
    """A client that sends calls again where that changes nothing notices neither the end of a replica nor a stop."""
    for index in (1, 2):
        with calls_from_outside(ROOT / PICTURE) as calls:
            kill("service", index)
            reached = len(calls.versions)
            wait_for(lambda reached=reached: len(calls.versions) > reached + 50, "calls go on")
        sentence = f"replica {index} is killed and comes back; none of {len(calls.versions)} calls failed"
        probe.check(not calls.failures, sentence, calls.failures[:3])
    kill("balancer")
    with Recognizer(ADDRESS) as client:
        digit = client.recognize(ROOT / PICTURE).digit
    probe.check(digit == DIGIT and is_healthy("balancer"), "the proxy is killed and comes back", digit)


def retrain_for_both(probe: Probe) -> None:
    """Both replicas take up a new champion, each when it sees it, and no call fails."""
    settings = ("--set", "train.seed=2", "--set", "train.epochs=8", "--promote", "always", "--json")
    with calls_from_outside(ROOT / PICTURE) as calls:
        result = json.loads(inside("scheduler", "python", "-m", "pipelines", "retrain", *settings))
        new = str(result["version"])
        wait_for(lambda: calls.versions[-20:] == [new] * 20, f"both replicas answer with version {new}")
    probe.check(not calls.failures, f"both replicas answer with version {new}; no call failed", calls.failures[:3])
    probe.check(set(calls.versions) == {"1", new}, "replies named version 1 and this one", set(calls.versions))


def sweep_on_the_cluster(probe: Probe) -> None:
    """A worker dies meanwhile; the sweep ends all the same, with every trial."""
    [command] = commands("A sweep on the cluster")
    command = command.replace("--trials 20", "--trials 6 --set train.epochs=2 --no-publish --json")
    results: list[str] = []
    sweeping = threading.Thread(target=lambda: results.append(type_in([command], ROOT)))
    sweeping.start()
    begun = ("exec", "-T", "scheduler", "sh", "-c", "ls /data/sweeps/*/*")
    wait_for(lambda: compose(*begun, may_fail=True).stdout, "the sweep has begun")
    kill("dask-worker", 1)
    sweeping.join()
    swept = json.loads(results[0]) if results else {"trials": [], "finished": False}
    ended = [row["number"] for row in swept["trials"] if row["state"] in {"complete", "pruned"}]
    good = swept["finished"] and len(ended) == 6
    probe.check(good, "a worker is killed, and the sweep ends with all 6 trials", swept)


def score_on_the_cluster(probe: Probe) -> None:
    """The commands of the page write the table that one process writes, byte by byte."""
    *prepare, command = commands("Scoring on the cluster")
    alone = command.replace(CLUSTER, "").replace("table.csv", "alone.csv")
    with tempfile.TemporaryDirectory() as name:
        type_in(prepare, Path(name))
        inside("scheduler", "sh", "-c", "cp /app/data/mnist/t10k-images* /data/inputs/")
        type_in([command, alone], Path(name))
    count = "sha256sum < /data/table.csv; sha256sum < /data/alone.csv; wc -l < /data/table.csv"
    tables = inside("scheduler", "sh", "-c", count).splitlines()
    good = tables[0] == tables[1] and int(tables[2]) > 10_000
    probe.check(good, f"the cluster writes the {tables[2]} lines that one process writes", tables)


def _answered() -> list[int]:
    """How many calls each replica has in its access log."""
    calls = {state["Name"].rpartition("-")[2]: 0 for state in replicas("service")}
    for line in compose("logs", "--no-color", "service").stdout.splitlines():
        container, _, words = line.partition("|")
        calls[container.strip().rpartition("-")[2]] += "Recognizer/Recognize" in words
    return [calls[number] for number in sorted(calls)]


PARTS: list[Part] = [
    ("Two replicas share the calls", share_calls),
    ("A replica is killed", kill_a_replica),
    ("Retraining while calls come from outside", retrain_for_both),
    ("A sweep on the cluster", sweep_on_the_cluster),
    ("Scoring on the cluster", score_on_the_cluster),
]
