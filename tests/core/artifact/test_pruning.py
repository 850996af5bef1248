import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.artifact.manifest import MANIFEST, WEIGHTS
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import ArtifactError, RepositoryError
from core.inference.predict import load

from .builders import publish


def promote(repository: Repository, *versions: int, alias: str = "champion") -> None:
    for version in versions:
        repository.promote(version, by="a test", why="it says so", alias=alias)


def age(folder: Path, version: int, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).timestamp()
    for path in (folder / "mnist" / str(version)).iterdir():
        os.utime(path, (then, then))


def test_pruning_keeps_the_newest(repository: Repository) -> None:
    for _ in range(5):
        publish(repository)
    assert repository.prune(keep=2) == [1, 2, 3]
    assert repository.versions() == [4, 5]
    assert repository.prune(keep=2) == []
    for version in (4, 5):
        load(repository, version)


def test_pruning_spares_the_champion_and_the_one_before_it(repository: Repository) -> None:
    for _ in range(6):
        publish(repository)
    promote(repository, 1, 2, 4)
    assert repository.prune(keep=1) == [1, 3, 5]
    assert repository.versions() == [2, 4, 6]


def test_after_a_rollback_pruning_spares_what_the_next_one_would_lead_to(repository: Repository) -> None:
    for _ in range(5):
        publish(repository)
    promote(repository, 1, 2, 3)
    repository.alias().rollback(by="a test", why="3 was bad")
    assert repository.prune(keep=1) == [3, 4]
    assert repository.alias().rollback(by="a test", why="2 was bad").version == 1
    load(repository, repository.champion())


def test_pruning_spares_what_any_alias_points_to(repository: Repository) -> None:
    for _ in range(5):
        publish(repository)
    promote(repository, 4)
    promote(repository, 2, alias="canary")
    assert repository.prune(keep=1) == [1, 3]


def test_pruning_to_more_versions_than_exist_deletes_nothing(repository: Repository) -> None:
    assert repository.prune(keep=3) == []
    publish(repository)
    assert repository.prune(keep=3) == []


def test_no_number_is_given_again_after_pruning(repository: Repository) -> None:
    for _ in range(3):
        publish(repository)
    repository.claim(b"abandoned")
    repository.prune(keep=1)
    assert publish(repository).version == 5


def test_pruning_leaves_nothing_of_a_version_on_disk(on_disk: Repository, folder: Path) -> None:
    for _ in range(2):
        publish(on_disk)
    on_disk.prune(keep=1)
    assert [path.name for path in (folder / "mnist").iterdir()] == ["2"]


def test_pruning_removes_a_claim_only_once_its_publisher_must_be_dead(on_disk: Repository, folder: Path) -> None:
    for _ in range(2):
        on_disk.claim(b"claimed")
    publish(on_disk)
    age(folder, 1, timedelta(hours=25))
    age(folder, 2, timedelta(hours=23))
    assert on_disk.prune(keep=1) == [1]
    assert not (folder / "mnist/1").exists()
    assert (folder / "mnist/2" / WEIGHTS).exists()


def test_a_claim_with_one_young_file_is_still_being_written(on_disk: Repository, folder: Path) -> None:
    draft = on_disk.claim(b"claimed")
    publish(on_disk)
    age(folder, 1, timedelta(days=30))
    draft.add("card.md", b"just now")
    assert on_disk.prune(keep=1) == []


def test_the_newest_number_stays_claimed_however_old(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    on_disk.claim(b"claimed")
    age(folder, 2, timedelta(days=30))
    assert on_disk.prune(keep=1) == []
    assert publish(on_disk).version == 3


def test_keeping_no_version_is_refused(repository: Repository) -> None:
    publish(repository)
    for keep in (0, -1):
        with pytest.raises(ArtifactError, match=f"keep {keep} versions, expected at least 1"):
            repository.prune(keep)
    assert repository.versions() == [1]


def test_a_prune_that_is_interrupted_leaves_no_version_that_looks_complete(
    on_disk: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(on_disk)
    delete, deleted = Objects.delete, []

    def delete_one(self: Objects, path: str) -> None:
        if deleted:
            raise RepositoryError("the disk is gone")
        deleted.append(path)
        delete(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "delete", delete_one)
        with pytest.raises(RepositoryError, match="the disk is gone"):
            on_disk.prune(keep=1)
    assert deleted == [f"mnist/1/{MANIFEST}"]
    assert on_disk.versions() == [2, 3]
    load(on_disk, 2)
