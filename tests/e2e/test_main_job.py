"""From IDX bytes to a served prediction: pipeline, repository and service together, each as its own process."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.artifact.repository import Repository
from service.client import Reading, Recognizer
from tests.e2e.workshop import ROOT, Workshop, processes_that_mention
from tests.floats import assert_same_function
from tests.patience import eventually
from tests.service.tiny_model import publish, weights_file

SEVEN = ROOT / "examples" / "seven.png"


@contextmanager
def serving(workshop: Workshop) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A service on a free port, with its log in `service.log` beside the repository."""
    with (workshop.repository.parent / "service.log").open("w") as log:
        process = workshop.start("service", "serve", "--port", "0", stdout=subprocess.PIPE, stderr=log)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1], process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0
            process.stdout.close()


class Caller(threading.Thread):
    """A client that calls without pause, and keeps every reply and every failure."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address, self._stop_asking = address, threading.Event()
        self.readings: list[Reading] = []
        self.failures: list[Exception] = []

    def run(self) -> None:
        with Recognizer(self._address) as client:
            while not self._stop_asking.is_set():
                try:
                    self.readings.append(client.recognize(SEVEN))
                except Exception as error:  # noqa: BLE001 — whatever it is, it is a failed call
                    self.failures.append(error)

    def wait_for_version(self, version: str) -> None:
        eventually(lambda: self.readings and self.readings[-1].model_version == version, f"version {version} is served")

    def end(self) -> None:
        self._stop_asking.set()
        self.join()


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_retrained_version_replaces_the_old_without_failed_calls_a_damaged_one_not(
    champion: Workshop,
) -> None:
    workshop = champion
    with serving(workshop) as (address, _):
        caller = Caller(address)
        caller.start()
        caller.wait_for_version("1")

        digests = {"1": workshop.run("pipelines", "models", "list", "--json").json[0]["weights_sha256"]}
        digests["2"] = workshop.retrain("train.seed=2", promote="always").json["weights_sha256"]
        caller.wait_for_version("2")

        third = publish(Repository(str(workshop.repository), writable=True), seed=3, promote=False)
        assert third == 3
        flip_a_bit(weights_file(workshop.repository, third))
        refused = workshop.run("pipelines", "models", "promote", "3")
        assert (refused.status, "the manifest says" in refused.stderr) == (1, True)
        Repository(str(workshop.repository)).alias().promote(3, by="a test", why="an older program does not look")
        log = workshop.repository.parent / "service.log"
        eventually(lambda: "the manifest says" in log.read_text(), "the damaged version is refused in words")
        asked = len(caller.readings)
        eventually(lambda: len(caller.readings) >= asked + 20, "the version before it goes on answering")
        caller.end()

    assert caller.failures == []
    assert {reading.digit for reading in caller.readings} == {7}
    assert {reading.model_version for reading in caller.readings} == {"1", "2"}
    assert {(r.model_version, r.weights_sha256) for r in caller.readings} == set(digests.items())
    versions = [reading.model_version for reading in caller.readings]
    assert versions == sorted(versions), "after the swap, no call is answered by the version before it"


def test_a_picture_gets_the_same_answer_with_and_without_a_server(champion: Workshop) -> None:
    workshop = champion
    [alone] = workshop.run("service", "predict", str(SEVEN), "--json").json
    with serving(workshop) as (address, _):
        with Recognizer(address, wait_for_ready=True) as client:
            client.recognize(SEVEN)
        [asked] = workshop.run("service", "predict", str(SEVEN), "--json", "--address", address).json
    assert alone.keys() == {"file", "digit", "confidence", "probabilities", "digitness", "rejected", "model_version"}
    assert (alone["digit"], alone["rejected"], alone["model_version"]) == (7, None, "1")
    assert_same_function(asked["probabilities"], alone["probabilities"], terms=784 + 128, dtype=np.float32)


def test_the_whole_job_ends_with_a_prediction_and_leaves_nothing_running(
    make_workshop: Callable[..., Workshop],
) -> None:
    workshop = make_workshop()
    done = subprocess.run(
        [sys.executable, "tools/run.py"],
        cwd=ROOT,
        env=workshop.environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"digit +7\b", done.stdout)
    assert re.search(r"model version +1 \(published\)", done.stdout)
    accuracy = re.search(r"test accuracy +(\d\d\.\d\d)%", done.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) >= 97.8
    assert (workshop.repository / "mnist" / "1" / "report.html").is_file()
    assert not processes_that_mention(str(workshop.repository))
