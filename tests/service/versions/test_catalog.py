"""Lists of versions and moves: what is read for them, and what is said of what cannot be read."""

import asyncio
import threading
from pathlib import Path

import pytest

from core.artifact.manifest import MANIFEST, Verdict
from core.artifact.repository import Repository
from core.artifact.summary import Summary
from service.errors import OverloadedError, RepositoryAwayError, UnknownVersionError
from service.versions import described
from service.versions.catalog import Catalog, Page
from service.versions.described import Described
from service.versions.storage import Storage
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.patience import eventually
from tests.service.many_versions import many
from tests.service.tiny_model import publish


class Read(Repository):
    """Remembers which descriptions are read, and may let some of them wait."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.summaries: list[int] = []
        self.hanging: set[int] = set()
        self.mended, self.stuck = threading.Event(), threading.Event()

    def summary(self, version: int) -> Summary:
        self.summaries.append(version)
        if version in self.hanging:
            self.stuck.set()
            self.mended.wait()
        return super().summary(version)


class Followed:
    """A catalog of a repository that a watcher follows, one look at a time."""

    def __init__(self, folder: Path, wishes: Wishes | None = None, seconds: float = 60.0) -> None:
        self.read = Read(str(folder))
        self.store = Store(self.read.url, wishes)
        self.watcher = Watcher(Repository(str(folder)), self.store)
        self.catalog = Catalog(self.store, Storage(self.read), trouble=lambda: self.watcher.trouble, seconds=seconds)
        self.watcher.look()

    def page(self, size: int = 100, below: int | None = None) -> Page:
        return asyncio.run(self.catalog.versions(size, below))

    def moves(self, alias: str, size: int = 100, below: int | None = None):
        return asyncio.run(self.catalog.moves(alias, size, below))


def names(page: Page) -> list[str]:
    return [row.status.version for row in page.rows]


@pytest.fixture
def follow(folder):
    found = []

    def begin(**options: object) -> Followed:
        found.append(Followed(folder, **options))
        return found[-1]

    yield begin
    for each in found:
        each.read.mended.set()
        each.catalog.close()


def test_only_the_manifests_of_a_page_are_read_and_each_once(repository, folder, follow):
    many(repository, folder, 30)
    followed = follow()
    first = followed.page(10)
    assert names(first) == [str(number) for number in range(30, 20, -1)]
    assert sorted(followed.read.summaries) == list(range(21, 31))
    second = followed.page(10, first.after)
    assert names(second)[0] == "20"
    followed.read.summaries.clear()
    assert followed.page(20).rows == [*first.rows, *second.rows]
    assert followed.read.summaries == [], "what was read is kept"
    assert (names(followed.page(10, 11))[-1], followed.page(10, 11).after) == ("1", None)
    assert 1 not in followed.read.summaries, "what answers is in memory"


def test_a_description_is_read_again_once_the_files_of_its_version_change(repository, folder, follow):
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    followed = follow()
    followed.page()
    manifest = repository.manifest(2)
    (folder / "mnist/2" / MANIFEST).write_bytes(manifest.model_copy(update={"recipe_name": "other"}).encode())
    followed.watcher.look()
    assert followed.page().rows[0].described.recipe == "other"


def test_only_so_many_descriptions_are_kept(repository, folder, follow, monkeypatch):
    monkeypatch.setattr(described, "MOST_KEPT", 3)
    many(repository, folder, 6)
    followed = follow()
    followed.page(4)
    followed.read.summaries.clear()
    followed.page(4)
    assert followed.read.summaries == [6], "the one that was not used for longest gave way"


def test_a_description_says_what_the_manifest_says(repository, folder, follow):
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    for row in follow().page().rows:
        manifest = repository.manifest(int(row.status.version))
        assert row.described == Described(
            created=manifest.created,
            recipe="tiny",
            parameters=manifest.architecture.parameter_count,
            test_accuracy=0.5,
            validation_accuracy=0.5,
            weights_sha256=manifest.files["weights.safetensors"].sha256,
            verdict="fit to be champion: a test wants it",
        )


@pytest.mark.parametrize(
    ("instruction", "by", "done"),
    [("always", "ada", "it was promoted, as ada wished"), ("never", None, "it was not promoted, as whoever ran")],
)
def test_an_instruction_that_overrode_the_verdict_is_part_of_it(repository, follow, instruction, by, done):
    verdict = Verdict(promote=False, reason="it is worse", parent=None, instruction=instruction, instructed_by=by)
    publish(repository, seed=1, verdict=verdict)
    [row] = follow().page().rows
    assert row.described.verdict.startswith(f"not fit to be champion: it is worse; {done}")


def test_a_damaged_manifest_is_a_row_that_says_so_among_the_others(repository, folder, follow):
    for seed in (1, 2, 3):
        publish(repository, seed=seed, promote=seed == 1)
    (folder / "mnist/2" / MANIFEST).write_bytes(b"{")
    third, second, first = follow().page().rows
    assert second.described.startswith("mnist/2/manifest.json: ")
    assert second.status.version == "2"
    assert isinstance(third.described, Described)
    assert isinstance(first.described, Described)


def test_a_number_whose_manifest_is_no_file_is_listed_with_what_is_wrong(repository, folder, follow):
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    manifest = folder / "mnist/2" / MANIFEST
    manifest.unlink()
    manifest.mkdir()
    second, _ = follow().page().rows
    assert second.status.state == "UNAVAILABLE"
    assert second.described.startswith("mnist/2/manifest.json: ")
    assert second.status.reason


def test_a_pruned_version_is_listed_only_while_it_answers(repository, folder, follow):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    followed = follow(wishes=Wishes(also=("2",)))
    assert names(followed.page()) == ["3", "2", "1"]
    for number in (1, 2):
        for file in (folder / "mnist" / str(number)).iterdir():
            file.unlink()
        (folder / "mnist" / str(number)).rmdir()
    followed.watcher.look()
    page = followed.page()
    assert names(page) == ["3", "2"]
    assert isinstance(page.rows[1].described, Described), "from memory"


def test_a_read_that_hangs_costs_its_own_row_and_nobody_waits_for_it_again(repository, folder, follow, monkeypatch):
    many(repository, folder, 4)
    followed = follow()

    def wait(futures, _seconds):  # patience ends when something hangs, rather than by the clock
        eventually(lambda: futures[0].done() or followed.read.stuck.is_set())
        followed.read.stuck.clear()

    monkeypatch.setattr("service.versions.patience.wait", wait)
    followed.read.hanging = {3}
    found = followed.page().rows
    assert [isinstance(row.described, Described) for row in found] == [True, False, True, True]
    assert found[1].described.startswith("mnist/3/manifest.json: no answer within ")
    found = followed.page().rows
    assert [isinstance(row.described, Described) for row in found] == [True, False, True, True]
    assert found[1].described.startswith("mnist/3/manifest.json: no answer for ")
    followed.read.mended.set()
    eventually(lambda: isinstance(followed.page().rows[1].described, Described))


def test_what_could_not_be_read_in_time_is_a_row_that_says_so(repository, folder, follow):
    many(repository, folder, 3)
    rows = follow(seconds=0.0).page().rows
    assert [row.described for row in rows[:2]] == ["not read in time; ask again"] * 2
    assert isinstance(rows[2].described, Described), "what answers is in memory"


def test_lists_beyond_a_limit_are_refused_while_reads_hang(repository, folder, follow):
    many(repository, folder, 3)
    followed = follow()
    followed.read.hanging = {2, 3}

    async def crowd():
        lists = [asyncio.create_task(followed.catalog.versions(1, 4)) for _ in range(17)]
        done, _ = await asyncio.wait(lists, return_when=asyncio.FIRST_COMPLETED)
        followed.read.mended.set()
        with pytest.raises(OverloadedError, match="16 lists of versions or moves are waiting already"):
            await done.pop()
        return await asyncio.gather(*lists, return_exceptions=True)

    assert sum(isinstance(each, OverloadedError) for each in asyncio.run(crowd())) == 1


def test_the_moves_of_an_alias_come_newest_first_page_by_page(repository, follow):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    repository.rollback(by="ada", why="it was worse")
    followed = follow()
    moves, after = followed.moves("champion", 3)
    assert [(number, move.version, move.previous, move.by) for number, move in moves] == [
        (4, 2, 3, "ada"),
        (3, 3, 2, "tests"),
        (2, 2, 1, "tests"),
    ]
    moves, after = followed.moves("champion", 3, after)
    assert [(number, move.version, move.previous) for number, move in moves] == [(1, 1, None)]
    assert after is None


def test_an_alias_that_does_not_exist_is_unknown_whatever_its_name_is(repository, follow):
    publish(repository, seed=1)
    followed = follow()
    for name in ("nobody", "../champion", "champion/../champion", "latest", "é"):
        with pytest.raises(UnknownVersionError, match=r"no alias '.*' here; known: champion"):
            followed.moves(name)


def test_moves_that_are_out_of_reach_are_not_said_to_be_none(repository, folder, follow):
    publish(repository, seed=1)
    followed = follow()
    folder.rename(folder.with_name("away"))
    with pytest.raises(RepositoryAwayError, match="the moves of champion cannot be read now: repository file://"):
        followed.moves("champion")
    followed.watcher.look()
    with pytest.raises(RepositoryAwayError, match="cannot be read now: repository .* is gone; is the disk still mount"):
        followed.moves("champion")
    page = followed.page()
    assert (page.serving, names(page)) == ("1", ["1"])
    assert page.why.startswith("version 1 goes on answering from memory: ")
    assert page.why.endswith(" is gone; is the disk still mounted?")
