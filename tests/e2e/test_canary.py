"""A canary from end to end: trained, served, asked over gRPC, counted, and moved, each by a process of its own."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.artifact.repository import Repository
from core.data import mnist
from service.client import Recognizer
from tests.e2e.workshop import ROOT, Ended, Workshop
from tests.patience import eventually
from tests.pipelines.canary.stage import Stage
from tests.service.scraped import scrape
from tests.service.tiny_model import publish

LENIENT = ("max_accuracy_drop=1", "max_digit_drop=1", "max_robustness_drop=1", "max_handwriting_drop=1")
QUICK = ("canary.pictures=50", "canary.minutes=0", "canary.max_failure_rise=0.5", "canary.max_rejection_rise=0.5")
RULES = [word for rule in (*LENIENT, *QUICK) for word in ("--set", f"promotion.{rule}")]
TRAINED = ["--set", "train.epochs=1", "--set", "train.batch_size=64"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def workshop(make_workshop: Callable[..., Workshop]) -> Workshop:
    """Without Prefect; and without a trial, which is the subject of its own tests."""
    return make_workshop(NUMERAL_PRETRAINED="off")


@contextmanager
def serving(workshop: Workshop, metrics: int, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A service whose metrics are on this port; gives its process, whose first line says where it listens."""
    with (workshop.repository.parent / "service.log").open("a") as log:
        port = ("--port", "0", "--metrics-port", str(metrics), "--poll-seconds", "0.1")
        process = workshop.start("service", "serve", *port, *options, stdout=subprocess.PIPE, stderr=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=120)
            assert process.stdout is not None
            process.stdout.close()


def address_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


def retrain(workshop: Workshop, metrics: int, seed: int) -> Any:
    service = ("--canary-service", f":{metrics}")
    seeded = ("--set", f"train.seed={seed}")
    return workshop.run("pipelines", "retrain", "--engine", "plain", "--json", *service, *TRAINED, *seeded, *RULES).json


def look(workshop: Workshop, metrics: int, *options: str) -> Ended:
    return workshop.run("pipelines", "canary", "--canary-service", f":{metrics}", "--json", *RULES, *options)


def ask(address: str, metrics: int, count: int) -> set[str]:
    """Ask for test images, wait until all of it is in the metrics; gives the versions that answered."""
    before = scrape(f"127.0.0.1:{metrics}")("numeral_images_total")
    images = mnist.load(ROOT / "data" / "mnist").test_images
    with Recognizer(address) as client:
        answered = {client.recognize(images[number]).model_version for number in range(count)}
    eventually(lambda: scrape(f"127.0.0.1:{metrics}")("numeral_images_total") >= before + count)
    return answered


def loads(metrics: int, version: int) -> None:
    eventually(lambda: scrape(f"127.0.0.1:{metrics}")("numeral_model_loaded", version=str(version)) >= 1)


@pytest.mark.timeout(900)
def test_a_retrained_version_answers_a_share_of_the_calls_and_then_becomes_the_champion(workshop: Workshop) -> None:
    metrics = free_port()
    first = retrain(workshop, metrics, seed=1)
    assert (first["outcome"], first["promoted"], first["canary"]) == ("published", True, False)
    with serving(workshop, metrics, "--canary", "challenger:50%") as service:
        address = address_of(service)
        second = retrain(workshop, metrics, seed=2)
        assert (second["outcome"], second["promoted"], second["canary"]) == ("published", False, True)
        assert retrain(workshop, metrics, seed=2)["outcome"] == "unchanged", "it is a canary already"
        loads(metrics, 2)
        assert json.loads(look(workshop, metrics).stdout)["outcome"] == "waiting"
        assert ask(address, metrics, 200) == {"1", "2"}
        found = look(workshop, metrics)
        assert (found.status, found.json["outcome"]) == (0, "forward"), found.json
        assert found.json["pictures"] + found.json["champion_pictures"] == 200
        with Recognizer(address) as client:
            eventually(lambda: client.versions().serving == "2")
            newest, earlier = client.moves("champion")
            [begun] = client.moves("challenger")
        assert (newest.version, newest.previous, earlier.version) == ("2", "1", "1")
        assert "as a canary for 0 minutes, it did no worse than the champion: failures 0 of" in newest.why
        assert begun.why.startswith("as a canary beside version 1: ")
        assert ask(address, metrics, 20) == {"2"}
    listed = json.loads(workshop.run("pipelines", "models", "list", "--json").stdout)
    assert [row["aliases"] for row in listed] == [[], ["challenger", "champion"]]
    assert "until it became the champion at 20" in workshop.run("pipelines", "models", "show", "2").stdout


@pytest.mark.timeout(900)
def test_where_the_champion_has_changed_the_gate_judges_the_canary_again_and_it_begins_again(
    workshop: Workshop,
) -> None:
    metrics = free_port()
    for seed in (1, 2):
        retrain(workshop, metrics, seed)
    other = workshop.run(
        *("pipelines", "retrain", "--engine", "plain", "--json", "--promote", "always", *TRAINED),
        *("--set", "train.seed=3", *RULES),
    )
    assert other.json["promoted"] is True
    with serving(workshop, metrics, "--canary", "challenger:50%") as service:
        address = address_of(service)
        loads(metrics, 2)
        assert look(workshop, metrics).json["outcome"] == "begun"
        moves = Repository(str(workshop.repository)).alias("challenger").history()
        assert [move.version for move in moves] == [2, 2]
        assert moves[-1].why.startswith("as a canary beside version 3: decided again, because the champion had changed")
        assert look(workshop, metrics).json["outcome"] == "waiting"
        ask(address, metrics, 200)
        assert look(workshop, metrics).json["outcome"] == "forward"


@pytest.fixture
def canary(workshop: Workshop) -> Workshop:
    """Version 2 is a canary beside version 1; both are tiny, and not trained."""
    stage = Stage(workshop.repository.parent, [])
    publish(stage.repository, seed=1)
    stage.begin(stage.publish(seed=2))
    return workshop


def test_looks_that_are_killed_lose_nothing_and_a_service_that_is_killed_counts_on(canary: Workshop) -> None:
    metrics, enough = free_port(), ("--set", "promotion.canary.pictures=90")
    with serving(canary, metrics, "--canary", "challenger:50%") as service:
        address = address_of(service)
        loads(metrics, 2)
        look(canary, metrics, *enough)
        ask(address, metrics, 60)
        assert look(canary, metrics, *enough).json["outcome"] == "waiting"
        service.kill()
    watching = canary.start(
        *("pipelines", "canary", "--watch", "--every", "0.1", "--canary-service", f":{metrics}", *RULES, *enough),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with serving(canary, metrics, "--canary", "challenger:50%") as service:
        address = address_of(service)
        loads(metrics, 2)
        watching.kill()
        watching.wait()
        ask(address, metrics, 140)
        found = look(canary, metrics, *enough).json
    assert found["outcome"] == "forward", found
    assert found["pictures"] + found["champion_pictures"] == 200
    assert Repository(str(canary.repository)).alias().target() == 2


@pytest.mark.timeout(900)
def test_a_scheduler_makes_a_canary_the_champion_between_two_runs(canary: Workshop, used_prefect_home: str) -> None:
    metrics = free_port()
    canary.environment.update(
        NUMERAL_CANARY_SERVICES=f":{metrics}", NUMERAL_TRIGGER_SECONDS="0.5", PREFECT_HOME=used_prefect_home
    )
    log = canary.repository.parent / "schedule.log"
    with serving(canary, metrics, "--canary", "challenger:50%") as service, log.open("w") as stream:
        address = address_of(service)
        loads(metrics, 2)
        scheduler = canary.start("pipelines", "schedule", "--cron", "@yearly", *RULES, stdout=stream, stderr=stream)
        try:
            eventually(lambda: "canary: version 2 stays a canary" in log.read_text(), seconds=400)
            ask(address, metrics, 200)
            eventually(lambda: Repository(str(canary.repository)).alias().target() == 2)
            eventually(lambda: "canary: version 2 is the champion now" in log.read_text())
        finally:
            scheduler.send_signal(signal.SIGTERM)
            assert scheduler.wait(timeout=120) == 0, log.read_text()
    health = json.loads(canary.run("pipelines", "health", "--json").stdout)
    assert health["last_promotion"]["version"] == 2
