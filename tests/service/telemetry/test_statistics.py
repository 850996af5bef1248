"""Statistics: the counters of several processes are read as one."""

import multiprocessing
import time
from types import SimpleNamespace

import numpy as np

from core.inference.answers import Answers
from service.telemetry import statistics
from service.telemetry.statistics import Parts, Statistics
from tests.floats import close

PARTS = Parts(queue=1, input=20, infer=300, output=4000)
NOTHING = Answers.of(np.zeros((0, 10), np.float32), 1.0, None)


def run(found: Statistics, version: str, size: int, seconds: float = 1e-6) -> None:
    found.computed(SimpleNamespace(version=version), np.zeros((size, 28, 28), np.uint8), NOTHING, seconds)


def work(folder, version: str) -> None:
    """What another process does."""
    found = Statistics(folder)
    for _ in range(1000):
        run(found, version, 2)
        found.succeeded(version, PARTS, 5000)
    found.unanswered(version, 7)


def test_statistics_cover_all_processes_including_ended_ones(tmp_path):
    here = Statistics(tmp_path / "statistics")
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=work, args=(tmp_path / "statistics", version)) for version in ("3", "3", "4")]
    for other in others:
        other.start()
    for other in others:
        other.join(120)
        assert other.exitcode == 0
    run(here, "3", 5, 2e-6)
    found = here.of("3")
    assert found.counters == {
        "last_inference_ms": close(time.time() * 1000, abs=60_000, why="now, or a moment ago"),
        "inferences": 4005,
        "executions": 2001,
        "executions_ns": 2_002_000,
        "success": 2000,
        "success_ns": 10_000_000,
        "fail": 2,
        "fail_ns": 14,
        "queue_ns": 2000,
        "input_ns": 40_000,
        "infer_ns": 600_000,
        "output_ns": 8_000_000,
    }
    assert found.batches == {2: (2000, 2_000_000), 5: (1, 2000)}
    assert here.of("4").counters["success"] == 1000


def test_a_version_that_was_never_asked_has_only_zeros():
    found = Statistics().of("1")
    assert set(found.counters.values()) == {0}
    assert found.batches == {}


def test_what_else_is_in_the_folder_is_neither_read_whole_nor_counted(tmp_path):
    found = Statistics(tmp_path)
    run(found, "1", 3)
    (tmp_path / "a folder").mkdir()
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(6 * 2**30)  # a sparse file
    assert found.of("1").batches == {3: (1, 1000)}


def test_one_process_needs_no_folder():
    found = Statistics()
    run(found, "pretrained", 3)
    assert found.of("pretrained").batches == {3: (1, 1000)}


def test_versions_beyond_the_capacity_are_not_counted(monkeypatch):
    monkeypatch.setattr(statistics, "CAPACITY", 4)
    found = Statistics()
    for version in ("1", "2", "3"):
        run(found, version, 1)
    assert [found.of(version).counters["executions"] for version in ("1", "2", "3")] == [1, 1, 0]


def test_the_latest_batch_is_that_of_its_version():
    found = Statistics()
    run(found, "1", 1, 5e-6)
    assert (found.latest("1"), found.latest("2")) == (5000, 0)
