"""The best version so far, and how often the validation images have decided, from what the manifests say."""

from pathlib import Path

import pytest

from core.artifact.manifest import Manifest, Verdict
from core.artifact.repository import Repository
from pipelines.promotion.evidence import Best
from pipelines.promotion.standing import Standing, best_of
from tests.core.artifact.builders import publish
from tests.pipelines.promotion.gate_inputs import metrics


class Promoted:
    """As much of a manifest as the search for the best version reads."""

    def __init__(self, version: int, accuracy: float, improves: bool | None, best: Best | None = None) -> None:
        self.version = version
        self.validation = metrics(accuracy)
        self.verdict = Verdict(
            promote=True,
            reason="",
            parent=None,
            improves=improves,
            best=best and best.version,
            best_accuracy=best and best.accuracy,
        )


def best(*promoted: Promoted) -> Best | None:
    found: list[Manifest] = list(promoted)  # type: ignore[arg-type]
    return best_of(found)


def test_of_older_versions_the_most_accurate_is_the_best() -> None:
    assert best(Promoted(1, 0.97, None), Promoted(2, 0.98, None), Promoted(3, 0.975, None)) == Best(2, 0.98)
    assert best() is None


def test_a_luckier_version_does_not_become_the_best() -> None:
    assert best(Promoted(1, 0.97, True), Promoted(2, 0.971, False)) == Best(1, 0.97)
    assert best(Promoted(1, 0.97, True), Promoted(2, 0.98, True)) == Best(2, 0.98)


def test_a_best_version_that_was_pruned_is_known_from_the_verdicts_after_it() -> None:
    assert best(Promoted(7, 0.97, False, Best(2, 0.98))) == Best(2, 0.98)


def test_a_best_version_that_cannot_be_read_counts_beside_an_older_one_that_can() -> None:
    older, later = Promoted(1, 0.97, True), Promoted(7, 0.975, False, Best(2, 0.98))
    assert best(older, later) == Best(2, 0.98)
    assert best(older, Promoted(7, 0.98, True, Best(1, 0.97))) == Best(7, 0.98)


def test_of_two_versions_judged_at_once_the_better_is_the_best() -> None:
    first = Best(1, 0.97)
    assert best(Promoted(2, 0.98, True, first), Promoted(3, 0.975, True, first)) == Best(2, 0.98)


def test_a_best_version_whose_promotion_was_undone_does_not_come_back_from_a_verdict() -> None:
    found: list[Manifest] = [Promoted(1, 0.97, True), Promoted(7, 0.975, False, Best(2, 0.98))]  # type: ignore[list-item]
    assert best_of(found, undone={2}) == Best(1, 0.97)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(str(tmp_path / "models"), writable=True)


def test_a_version_whose_promotion_was_rolled_back_is_no_rival(repository: Repository) -> None:
    for seed in (1, 2):
        publish(repository, seed)
        repository.promote(seed, by="a test", why="it says so")
    data = repository.manifest(1).data
    assert Standing.of(repository, data, print).parent == 2
    repository.alias().rollback(by="a test", why="it misreads sevens")
    found = Standing.of(repository, data, print)
    assert found.best is not None
    assert (found.parent, found.best.version, found.consulted) == (1, 1, 3)


def test_versions_with_other_validation_images_are_not_counted(repository: Repository) -> None:
    publish(repository, 1)
    repository.promote(1, by="a test", why="it says so")
    other = repository.manifest(1).data.model_copy(update={"split_seed": 99})
    found = Standing.of(repository, other, print)
    assert (found.parent, found.best, found.consulted) == (1, None, 1)


def test_a_damaged_champion_is_named_and_still_the_one_to_replace(repository: Repository, tmp_path: Path) -> None:
    publish(repository, 1)
    repository.promote(1, by="a test", why="it says so")
    data = repository.manifest(1).data
    (tmp_path / "models" / "mnist" / "1" / "manifest.json").write_text("{}")
    said: list[str] = []
    found = Standing.of(repository, data, said.append)
    assert (found.parent, found.champion) == (1, None)
    assert said == ["version 1, the champion, is damaged or deleted, so the new version is not compared with it"]
