"""Conducting a trial: real services, of which one fails in one thing."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.artifact.manifest import Architecture, Golden, Manifest
from core.artifact.repository import Repository
from core.artifact.trial import Check, Limits
from core.nn.architectures import build
from service.client.blocking import Recognizer
from service.trial import conduct as module
from service.trial.conduct import _Asked, conduct
from service.trial.observed import Observed
from tests.service.harness import running
from tests.service.tiny_model import publish, publish_network

GENEROUS = Limits(latency_allowance_ms=100_000, ready_seconds=600)
"""So that a test does not depend on what else the machine does."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(str(tmp_path / "models"), writable=True)


@pytest.fixture
def asked(repository: Repository, tmp_path: Path) -> Iterator[_Asked]:
    """A service that is ready with version 1, which nobody has asked anything."""
    publish(repository, seed=1)
    with running(tmp_path / "models") as service, Recognizer(service.address) as client:
        yield _Asked(SimpleNamespace(version=1, ready_seconds=1.0), client)  # type: ignore[arg-type]


def with_other_answers(manifest: Manifest) -> Manifest:
    """The manifest of a version that gave other answers to one of three golden images at its training."""
    images, rows = manifest.golden.arrays()
    rows = np.array(rows)
    rows[1] = rows[1][::-1]
    golden = Golden(images=images.tobytes(), probabilities=tuple(map(tuple, rows.tolist())))
    return manifest.model_copy(update={"golden": golden})


def test_an_answer_unlike_that_at_the_training_is_wrong(asked: _Asked, repository: Repository) -> None:
    asked.check_golden(repository.manifest(1))
    assert (asked.seen.golden, asked.seen.golden_wrong) == (3, "")
    asked.check_golden(with_other_answers(repository.manifest(1)))
    assert asked.seen.golden_wrong.startswith("1 of 3 differ, by ")
    assert asked.seen.golden_wrong.endswith(" on image 1")


def test_an_answer_from_other_weights_is_wrong(asked: _Asked, repository: Repository) -> None:
    publish(repository, seed=2, promote=False)
    asked.check_golden(repository.manifest(2))
    assert asked.seen.golden_wrong == "they come from other weights, those of version 1"


def test_a_version_that_takes_more_memory_than_allowed_fails(repository: Repository) -> None:
    champion = publish(repository, seed=1)
    wide = {"kind": "dense", "units": 4000}
    layers = (wide, {"kind": "relu"}, wide, {"kind": "relu"}, {"kind": "dense", "units": 10})
    large = build((784,), layers, rng=np.random.default_rng(1))  # 77 MB of weights
    shape = Architecture(input_shape=large.input_shape, layers=layers, parameter_count=large.vector.value.size)
    candidate = publish_network(repository, large, promote=False, architecture=shape)
    limits = GENEROUS.model_copy(update={"memory_factor": 1.0, "memory_allowance_mb": 16.0})
    found = conduct(repository, candidate, champion, 2, limits)
    assert [check.name for check in found.checks if not check.passed] == ["memory"], found.words


def test_a_version_that_seems_too_slow_is_asked_again(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    version = publish(repository, seed=1)
    looks: list[bool] = []

    def slow_at_first(candidate: Observed, champion: Observed | None, limits: Limits) -> Check:
        looks.append(candidate.fastest_ms != [] and champion is not None)
        return Check(name="latency", found="p99", wanted="less", passed=len(looks) == 3)

    monkeypatch.setattr(module, "latency", slow_at_first)
    assert conduct(repository, version, version, 2, GENEROUS).passed
    assert looks == [True, True, True]
