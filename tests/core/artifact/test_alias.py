import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from core.artifact.alias import ANY, AliasLog
from core.artifact.move import Move
from core.artifact.objects import LARGEST_DOCUMENT, Objects
from core.artifact.repository import Repository
from core.errors import AliasMovedError, ConfigError, ManifestError, RepositoryError, VersionNotFoundError

from .builders import publish


@pytest.fixture
def versions(repository: Repository) -> Repository:
    """A repository with three versions, none of them promoted."""
    for seed in range(3):
        publish(repository, seed)
    return repository


def promote(repository: Repository, *versions: int) -> None:
    for version in versions:
        repository.promote(version, by="a test", why="it says so")


def rollback(repository: Repository) -> Move:
    return repository.alias().rollback(by="a test", why="it was bad")


class Reading(Objects):
    """The objects of a repository on disk; remembers which are read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.read: list[str] = []

    def get(self, path: str, most: int = LARGEST_DOCUMENT) -> bytes | None:
        self.read.append(path)
        return super().get(path, most)


def test_before_its_first_move_an_alias_points_nowhere(versions: Repository) -> None:
    assert versions.alias().target() is None
    assert versions.alias().history() == []
    with pytest.raises(
        VersionNotFoundError, match="has no champion yet; publish one with: python -m pipelines retrain"
    ):
        versions.champion()


def test_an_alias_points_to_what_was_promoted_last(versions: Repository) -> None:
    promote(versions, 1)
    assert versions.champion() == 1
    promote(versions, 3)
    assert versions.champion() == 3


def test_a_move_that_expects_another_target_is_refused_and_names_the_target(versions: Repository) -> None:
    versions.promote(2, by="ada", why="first", expecting=None)
    for expected in (None, 1):
        with pytest.raises(AliasMovedError, match="champion: points to version 2, expected"):
            versions.promote(3, by="bob", why="stale", expecting=expected)
    versions.promote(3, by="bob", why="fresh", expecting=2)
    assert [move.version for move in versions.alias().history()] == [2, 3]


def test_of_writers_that_expect_the_same_target_only_one_moves_the_alias(versions: Repository) -> None:
    barrier = Barrier(3)

    def move(version: int) -> bool:
        barrier.wait(60)
        try:
            versions.promote(version, by="a race", why="first", expecting=None)
        except AliasMovedError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        moved = list(pool.map(move, (1, 2, 3)))
    assert sorted(moved) == [False, False, True]
    assert len(versions.alias().history()) == 1


def test_every_move_is_kept_with_who_when_and_why(versions: Repository) -> None:
    versions.promote(2, by="ada", why="first")
    versions.promote(1, by="bob", why="better")
    versions.alias().rollback(by="cy", why="worse")
    found = [(m.version, m.previous, m.action, m.by, m.why) for m in versions.alias().history()]
    assert found == [
        (2, None, "promote", "ada", "first"),
        (1, 2, "promote", "bob", "better"),
        (2, 1, "rollback", "cy", "worse"),
    ]
    times = [move.at for move in versions.alias().history()]
    assert times == sorted(times)
    assert datetime.now(UTC) - times[0] < timedelta(minutes=5)


def test_a_rollback_undoes_the_last_promotion_and_another_the_one_before(versions: Repository) -> None:
    promote(versions, 1, 2, 3)
    assert rollback(versions).version == 2
    assert rollback(versions).version == 1
    with pytest.raises(VersionNotFoundError, match="champion: no earlier version to roll back to"):
        rollback(versions)
    assert versions.champion() == 1


def test_a_rollback_does_not_return_to_what_was_rolled_back(versions: Repository) -> None:
    promote(versions, 1, 2)
    rollback(versions)
    promote(versions, 3)
    assert rollback(versions).version == 1


def test_promoting_the_champion_again_does_not_make_it_its_own_predecessor(versions: Repository) -> None:
    promote(versions, 1, 2, 2, 2)
    assert rollback(versions).version == 1


def test_an_older_version_may_be_promoted_again(versions: Repository) -> None:
    promote(versions, 1, 2, 1)
    assert rollback(versions).version == 2
    assert rollback(versions).version == 1


def test_there_is_nothing_to_roll_back_before_the_second_promotion(versions: Repository) -> None:
    with pytest.raises(VersionNotFoundError, match="no earlier version"):
        rollback(versions)
    promote(versions, 1)
    with pytest.raises(VersionNotFoundError, match="no earlier version"):
        rollback(versions)
    assert versions.champion() == 1


def test_a_rollback_never_leads_to_a_version_that_was_pruned(versions: Repository) -> None:
    promote(versions, 1, 2, 3)
    assert versions.prune(keep=1) == [1]
    assert rollback(versions).version == 2
    with pytest.raises(VersionNotFoundError, match="version 1 was pruned; promote another instead"):
        rollback(versions)
    assert versions.champion() == 2


def test_only_a_version_that_exists_can_be_promoted(versions: Repository) -> None:
    versions.claim(b"only claimed")
    for version in (0, -1, 4, 99):
        with pytest.raises(VersionNotFoundError, match=f"mnist has no version {version}; known: 1, 2, 3"):
            promote(versions, version)
    assert versions.alias().history() == []


def test_aliases_are_independent_of_each_other(versions: Repository) -> None:
    promote(versions, 1)
    versions.promote(2, by="a test", why="try it", alias="canary")
    versions.promote(3, by="a test", why="try it", alias="canary-2")
    assert versions.champion() == 1
    assert versions.alias("canary").target() == 2
    assert versions.snapshot().aliases == {"canary": 2, "canary-2": 3, "champion": 1}


@pytest.mark.parametrize("name", ["../../1", "3", "latest", "pretrained", "pinned:3", "", "a name"])
def test_an_alias_has_a_name_that_is_no_path_no_version_and_no_policy(versions: Repository, name: str) -> None:
    with pytest.raises(ConfigError, match="expected a letter, then letters, digits"):
        versions.promote(1, by="a test", why="mischief", alias=name)
    assert versions.snapshot().aliases == {}


def test_promoters_at_once_lose_no_move_and_each_sees_the_one_before(versions: Repository) -> None:
    start = Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for version in (1, 2, 3):
            versions.promote(version, by=f"thread {number}", why="at once")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    moves = versions.alias().history()
    assert len(moves) == 24
    assert [move.previous for move in moves[1:]] == [move.version for move in moves[:-1]]
    for number in range(8):
        assert [move.version for move in moves if move.by == f"thread {number}"] == [1, 2, 3]


# conditional moves


def test_a_move_is_made_where_the_alias_points_as_expected(versions: Repository) -> None:
    versions.promote(1, by="a test", why="the first", expecting=None)
    versions.promote(2, by="a test", why="compared with 1", expecting=1)
    versions.promote(3, by="a test", why="whatever stands", expecting=ANY)
    assert [move.version for move in versions.alias().history()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("standing", "expecting", "message"),
    [
        (1, None, "champion: points to version 1, expected no version yet"),
        (1, 3, "champion: points to version 1, expected version 3"),
        (None, 1, "champion: points to no version yet, expected version 1"),
    ],
)
def test_an_alias_that_points_elsewhere_is_not_moved(
    versions: Repository, standing: int | None, expecting: int | None, message: str
) -> None:
    if standing:
        promote(versions, standing)
    before = versions.alias().history()
    with pytest.raises(AliasMovedError, match=message):
        versions.promote(2, by="a test", why="decided before", expecting=expecting)
    assert versions.alias().history() == before


def test_a_move_that_comes_between_check_and_creation_is_noticed(
    versions: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(versions, 1)
    create = Objects.create

    def overtaken(self: Objects, path: str, data: bytes) -> bool:
        monkeypatch.setattr(Objects, "create", create)  # the other writer's move goes through
        promote(versions, 3)
        return create(self, path, data)

    monkeypatch.setattr(Objects, "create", overtaken)
    with pytest.raises(AliasMovedError, match="champion: points to version 3, expected version 1; another writer has"):
        versions.promote(2, by="a test", why="compared with 1", expecting=1)
    assert [move.version for move in versions.alias().history()] == [1, 3]


def test_of_promoters_at_once_that_expect_the_same_champion_one_succeeds(versions: Repository) -> None:
    promote(versions, 1)
    start = Barrier(8)

    def work(number: int) -> bool:
        start.wait()
        try:
            versions.promote(2 + number % 2, by=f"thread {number}", why="compared with 1", expecting=1)
        except AliasMovedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 1
    assert len(versions.alias().history()) == 2


def test_the_log_goes_on_beyond_six_digits(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    promote(on_disk, 1)
    log = folder / "mnist/aliases/champion"
    (log / "000001.json").rename(log / "999999.json")
    promote(on_disk, 1)
    assert sorted(path.name for path in log.iterdir()) == ["1000000.json", "999999.json"]
    assert len(on_disk.alias().history()) == 2


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda data: data[:-5], lambda data: data.replace(b'"version": 1', b'"version": 0')]
)
def test_a_damaged_move_is_named(on_disk: Repository, folder: Path, damage: Callable[[bytes], bytes]) -> None:
    publish(on_disk)
    promote(on_disk, 1)
    file = folder / "mnist/aliases/champion/000001.json"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ManifestError, match=r"mnist/aliases/champion/000001\.json: not a move of an alias"):
        on_disk.champion()


TORN: list[Callable[[Path], object]] = [
    lambda file: file.write_text("{"),
    lambda file: file.write_bytes(b"\xff\x00"),
    lambda file: file.write_text('{"version": 3}'),
    lambda file: file.mkdir(),
    lambda file: file.symlink_to("nowhere"),
]


@pytest.mark.parametrize("tear", TORN)
def test_the_last_sound_move_stands_in_for_a_damaged_one(
    on_disk: Repository, folder: Path, tear: Callable[[Path], object]
) -> None:
    for seed in range(4):
        publish(on_disk, seed)
    promote(on_disk, 1, 2)
    tear(folder / "mnist/aliases/champion/000003.json")
    tear(folder / "mnist/aliases/champion/000099.json")
    assert on_disk.champion() == on_disk.snapshot().champion == 2
    assert on_disk.snapshot().faults.keys() == {f"mnist/aliases/champion/0000{n}.json" for n in ("99", "03")}
    assert on_disk.prune(keep=1) == [3]
    promote(on_disk, 4)
    assert on_disk.champion() == on_disk.snapshot().champion == 4
    assert (folder / "mnist/aliases/champion/000100.json").is_file()
    assert on_disk.snapshot().faults.keys() <= {f"mnist/aliases/champion/0000{n}.json" for n in ("99", "03")}
    assert rollback(on_disk).version == 2
    assert [(move.version, move.previous) for move in on_disk.alias().history()] == [(1, None), (2, 1), (4, 2), (2, 4)]


def test_a_move_with_two_spellings_of_its_number_is_read_once(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    promote(on_disk, 1)
    log = folder / "mnist/aliases/champion"
    shutil.copy(log / "000001.json", log / "0000001.json")
    shutil.copy(log / "000001.json", log / f"{'9' * 60}.json")
    promote(on_disk, 1)
    assert (log / "000002.json").exists()
    assert len(on_disk.alias().history()) == 2


def test_files_that_are_no_moves_are_ignored(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    promote(on_disk, 1)
    for name in ("notes.txt", "2.json", "000002.json.bak", "000002.json#1"):
        (folder / "mnist/aliases/champion" / name).write_text("?")
    assert on_disk.champion() == 1
    assert len(on_disk.alias().history()) == 1


class Crowded(Objects):
    """A store in which another writer is always faster."""

    def create(self, path: str, data: bytes) -> bool:
        super().create(path, data)
        return False


def test_a_race_that_is_lost_again_and_again_ends_in_an_error() -> None:
    with pytest.raises(RepositoryError, match=r"\d+ other writers were faster; try again"):
        AliasLog(Crowded("memory://"), "mnist", "champion").promote(1, by="a test", why="hopeless")


def test_a_log_reads_each_move_once_but_a_damaged_one_again(
    versions: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(versions, 1, 2)
    versions._objects.create("mnist/aliases/champion/000003.json", b"torn")
    get, read = Objects.get, []

    def recording(self: Objects, path: str, *most: int) -> bytes | None:
        read.append(path)
        return get(self, path, *most)

    monkeypatch.setattr(Objects, "get", recording)
    reader = AliasLog(versions._objects, "mnist", "champion")
    for _ in range(3):
        assert [move.version for move in reader.history()] == [1, 2]
        assert reader.target() == 2
    assert (read.count("mnist/aliases/champion/000001.json"), read.count("mnist/aliases/champion/000002.json")) == (
        1,
        1,
    )
    assert read.count("mnist/aliases/champion/000003.json") > 1
    assert versions.alias() is versions.alias()


def test_a_move_that_was_repaired_or_damaged_since_it_was_read_is_read_again(on_disk: Repository, folder: Path) -> None:
    publish(on_disk)
    promote(on_disk, 1, 1)
    file = folder / "mnist/aliases/champion/000002.json"
    sound = file.read_bytes()
    for data, count in ((sound, 2), (sound[:-9], 1), (sound, 2)):
        file.write_bytes(data)
        assert len(on_disk.alias().history()) == count


def test_the_moves_in_a_bucket_are_read_several_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository("memory://", writable=True)
    for _ in range(3):
        publish(repository)
    promote(repository, 3, 1, 2, 1)
    get, together = Objects.get, Barrier(4)

    def waiting(self: Objects, path: str, *most: int) -> bytes | None:
        together.wait(60)
        return get(self, path, *most)

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "get", waiting)
        moves = AliasLog(repository._objects, "mnist", "champion").history()
    assert [move.version for move in moves] == [3, 1, 2, 1]


def test_a_reason_that_is_too_long_is_refused_before_anything_moves(versions: Repository) -> None:
    with pytest.raises(ConfigError, match="champion: why: "):
        versions.promote(1, by="a test", why="w" * 20_000)
    assert versions.alias().target() is None


def test_the_newest_moves_are_read_without_the_others(on_disk: Repository) -> None:
    for seed in range(3):
        publish(on_disk, seed)
    promote(on_disk, 1, 2, 3, 1, 2)
    reading = Reading(on_disk.url)
    moves, more = AliasLog(reading, on_disk.model, "champion").newest(2)
    assert [(number, move.version, move.previous) for number, move in moves] == [(5, 2, 1), (4, 1, 3)]
    assert more
    assert len(reading.read) == 2
    moves, more = on_disk.alias().newest(3, below=4)
    assert ([number for number, _ in moves], more) == ([3, 2, 1], False)
    assert on_disk.alias().newest(1, below=1) == ([], False)
    assert on_disk.alias("nobody").newest(2) == ([], False)


def test_damaged_moves_are_passed_over_among_the_newest(on_disk: Repository, folder: Path) -> None:
    for seed in range(3):
        publish(on_disk, seed)
    promote(on_disk, 1, 2, 3)
    (folder / on_disk.model / "aliases" / "champion" / "000002.json").write_text("torn")
    moves, more = on_disk.alias().newest(2)
    assert ([number for number, _ in moves], more) == ([3, 1], False)
