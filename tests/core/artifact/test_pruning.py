import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.artifact.alias import AliasLog, Move
from core.artifact.manifest import MANIFEST, WEIGHTS
from core.artifact.objects import Objects
from core.artifact.pruning import is_mark
from core.artifact.repository import Repository
from core.errors import ArtifactError, RepositoryError, VersionNotFoundError
from core.inference.predict import load

from .builders import claim, publish
from .forbidden import forbid


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


# at the same time as others


def at_the_first(
    monkeypatch: pytest.MonkeyPatch, operation: str, of: Callable[[str], bool], act: Callable[[], object]
) -> None:
    """Let others act right before the first operation on an object whose path is one of these."""
    truly, acted = getattr(Objects, operation), []

    def interrupted(self: Objects, path: str, *arguments: object) -> object:
        if of(path) and not acted:
            acted.append(path)
            act()
        return truly(self, path, *arguments)

    monkeypatch.setattr(Objects, operation, interrupted)


def marks(repository: Repository) -> list[str]:
    """The marks of pruners, as paths."""
    found = repository._objects.list("mnist")
    return [file.path for file in found if is_mark(file.path.rpartition("/")[2])]


def test_a_version_that_is_promoted_before_its_mark_is_written_is_spared(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(repository)
    at_the_first(monkeypatch, "create", lambda path: path.startswith("mnist/1/"), lambda: promote(repository, 1))
    assert repository.prune(keep=1) == [2]
    assert repository.champion() == 1
    load(repository, 1)
    assert marks(repository) == []


def test_a_version_that_is_marked_before_it_is_promoted_is_not_promoted(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(repository)
    promote(repository, 2)

    def promote_in_vain() -> None:
        with pytest.raises(VersionNotFoundError, match="mnist 1 is being deleted by models prune"):
            promote(repository, 1)

    at_the_first(monkeypatch, "delete", lambda path: path == f"mnist/1/{MANIFEST}", promote_in_vain)
    assert repository.prune(keep=1) == [1]
    assert repository.champion() == 2


def test_an_alias_is_moved_back_from_a_version_that_is_deleted_meanwhile(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(repository)
    promote(repository, 2)
    pruned: list[int] = []
    move = "mnist/aliases/champion/000002.json"
    at_the_first(monkeypatch, "create", lambda path: path == move, lambda: pruned.extend(repository.prune(keep=1)))
    with pytest.raises(VersionNotFoundError, match="deleted .* while champion .*; champion was moved back to 2"):
        promote(repository, 1)
    assert pruned == [1]
    assert repository.champion() == 2
    assert [move.version for move in repository.alias().history()] == [2, 1, 2]
    promote(repository, 3)
    assert repository.alias().rollback(by="a test", why="3 was bad").version == 2


def test_an_alias_that_somebody_else_has_moved_on_is_not_said_to_be_moved_back(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(repository)
    promote(repository, 2)
    monkeypatch.setattr(Repository, "_deleting", lambda self, version: version == 1 and repository.champion() == 1)
    truly = AliasLog.move_back

    def overtaken(self: AliasLog, version: int, **given: Any) -> Move:
        promote(repository, 3)
        return truly(self, version, **given)

    monkeypatch.setattr(AliasLog, "move_back", overtaken)
    with pytest.raises(VersionNotFoundError, match="mnist 1 was deleted .*; somebody else has moved champion on since"):
        promote(repository, 1)
    assert repository.champion() == 3


def test_a_promoter_that_finds_a_mark_after_its_move_gives_way(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(repository)
    promote(repository, 2)
    mark_of_another = "mnist/1/deleting-00000000.json"
    move = "mnist/aliases/champion/000002.json"
    at_the_first(
        monkeypatch, "create", lambda path: path == move, lambda: repository._objects.create(mark_of_another, b"{}")
    )
    with pytest.raises(VersionNotFoundError, match="moved back to 2"):
        promote(repository, 1)
    assert repository.champion() == 2
    load(repository, 1)


def test_an_interrupted_prune_is_finished_by_the_next_at_once(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(on_disk)

    def fail() -> None:
        raise RepositoryError("the disk is gone")

    with monkeypatch.context() as patch:
        at_the_first(patch, "delete", lambda path: path == f"mnist/1/{WEIGHTS}", fail)
        with pytest.raises(RepositoryError, match="the disk is gone"):
            on_disk.prune(keep=1)
    assert len(marks(on_disk)) == 2
    assert on_disk.prune(keep=1) == [1, 2]
    assert [path.name for path in (folder / "mnist").iterdir()] == ["3"]


def test_a_publisher_that_was_taken_for_dead_does_not_leave_a_version_without_weights(
    on_disk: Repository, folder: Path
) -> None:
    draft, manifest = claim(on_disk)
    publish(on_disk)
    age(folder, 1, timedelta(days=2))
    assert on_disk.prune(keep=1) == [1]
    with pytest.raises(RepositoryError, match="mnist/1 was taken for abandoned .*; publish again"):
        draft.publish(manifest)
    assert on_disk.versions() == [2]
    assert not (folder / "mnist/1").exists()


def test_a_publisher_that_goes_on_while_its_number_is_marked_is_spared(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, manifest = claim(on_disk)
    publish(on_disk)
    age(folder, 1, timedelta(days=2))
    at_the_first(monkeypatch, "create", lambda path: "deleting" in path, lambda: draft.add("card.md", b"# A card"))
    assert on_disk.prune(keep=1) == []
    draft.publish(manifest.model_copy(update={"files": dict(draft.files)}))
    assert on_disk.versions() == [1, 2]


def test_a_version_whose_folder_is_a_link_is_left_alone(on_disk: Repository, folder: Path, tmp_path: Path) -> None:
    for _ in range(3):
        publish(on_disk)
    (folder / "mnist/1").rename(tmp_path / "elsewhere")
    (folder / "mnist/1").symlink_to(tmp_path / "elsewhere")
    before = sorted(path.name for path in (tmp_path / "elsewhere").iterdir())
    assert on_disk.prune(keep=1) == [2]
    assert on_disk.versions() == [1, 3]
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == before


def test_pruning_needs_no_room_on_a_full_disk(on_disk: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        publish(on_disk)
    create = Objects.create

    def create_nothing_that_takes_room(self: Objects, path: str, data: bytes) -> bool:
        if data:
            raise RepositoryError("no space left on the disk")
        return create(self, path, data)

    monkeypatch.setattr(Objects, "create", create_nothing_that_takes_room)
    assert on_disk.prune(keep=1) == [1]


# where it cannot be told which versions the aliases name


@pytest.fixture
def served(on_disk: Repository) -> Repository:
    """Versions 1 to 4, of which 2 is the champion and 1 what a rollback leads to."""
    for _ in range(4):
        publish(on_disk)
    promote(on_disk, 1, 2)
    return on_disk


REFUSAL = (
    "cannot tell which versions the aliases name, so none is deleted: mnist/{}.*make it readable, or run: .*repair"
)


@pytest.mark.parametrize("path", ["aliases", "aliases/champion", "aliases/champion/000002.json"])
def test_nothing_is_pruned_while_moves_of_an_alias_may_not_be_read(
    served: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    allow = forbid(folder / "mnist" / path, monkeypatch)
    with pytest.raises(RepositoryError, match=REFUSAL.format(path)):
        served.prune(keep=1)
    assert served.versions() == [1, 2, 3, 4]
    assert marks(served) == []
    allow()
    assert served.prune(keep=1) == [3]


@pytest.mark.parametrize("tear", [lambda file: file.write_text("{"), lambda file: (file.unlink(), file.mkdir())])
def test_nothing_is_pruned_while_no_move_of_an_alias_is_sound(
    served: Repository, folder: Path, tear: Callable[[Path], object]
) -> None:
    for file in (folder / "mnist/aliases/champion").iterdir():
        tear(file)
    with pytest.raises(RepositoryError, match=REFUSAL.format("aliases/champion: none of its moves is sound")):
        served.prune(keep=1)
    assert served.versions() == [1, 2, 3, 4]


def test_nothing_is_pruned_where_the_folder_of_the_aliases_is_a_link_to_nothing(
    served: Repository, folder: Path
) -> None:
    (folder / "mnist/aliases").rename(folder / "unmounted")
    (folder / "mnist/aliases").symlink_to("nowhere")
    with pytest.raises(RepositoryError, match=REFUSAL.format("aliases: a link to nothing")):
        served.prune(keep=1)
    assert served.versions() == [1, 2, 3, 4]


def test_a_prune_that_loses_sight_of_the_aliases_midway_takes_its_marks_away(
    served: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_first(
        monkeypatch, "create", lambda path: "deleting" in path, lambda: forbid(folder / "mnist/aliases", monkeypatch)
    )
    with pytest.raises(RepositoryError, match="cannot tell which versions the aliases name"):
        served.prune(keep=1)
    assert served.versions() == [1, 2, 3, 4]
    assert marks(served) == []


# what killed publishers leave behind


def test_what_killed_writers_left_behind_is_swept_by_age(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    then = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    for path in ("2/weights.safetensors#1", "1/report.html#123456", "aliases/champion/000001.json#7"):
        (folder / "mnist" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mnist" / path).write_bytes(b"half")
        os.utime(folder / "mnist" / path, (then, then))
    (folder / "mnist/1/card.md#9").write_bytes(b"being written")
    claimed, files = on_disk.sweep()
    assert claimed == []
    assert sorted(file.path for file in files) == [
        "mnist/1/report.html#123456", "mnist/2/weights.safetensors#1", "mnist/aliases/champion/000001.json#7",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "mnist").iterdir()) == ["1"]
    assert (folder / "mnist/1/card.md#9").exists()


def test_publishing_sweeps_what_older_publishers_left_behind(on_disk: Repository, folder: Path) -> None:
    for _ in range(2):
        on_disk.claim(b"claimed by a publisher that was killed")
    publish(on_disk)
    age(folder, 1, timedelta(days=2))
    assert publish(on_disk).version == 4
    assert sorted(path.name for path in (folder / "mnist").iterdir()) == ["2", "3", "4"]


def test_an_old_mark_is_swept_and_the_version_can_be_promoted_again(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    mark = folder / "mnist/1/deleting-0123abcd.json"
    mark.write_text("{}")
    with pytest.raises(VersionNotFoundError, match="being deleted by models prune; if none runs"):
        promote(on_disk, 1)
    assert on_disk.sweep() == ([], [])
    age(folder, 1, timedelta(days=2))
    assert [file.path for file in on_disk.sweep()[1]] == ["mnist/1/deleting-0123abcd.json"]
    promote(on_disk, 1)
