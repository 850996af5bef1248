"""A storage that hangs: what serves goes on, the next good version is picked up, and it is seen from outside."""

import threading
from collections.abc import Callable

import pytest

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository, Snapshot
from service.observer import Observer
from service.versions.decisions import DecisionFile, Decisions
from service.versions.store import Store
from service.versions.watcher import Watcher
from tests.patience import eventually
from tests.service.tiny_model import publish


class Hanging(Repository):
    """A disk that does not answer some of the reads, until it is mended."""

    def __init__(self, url: str, hangs: Callable[[int | None], bool]) -> None:
        super().__init__(url)
        self.mended = threading.Event()
        self._hangs = hangs

    def _wait(self, version: int | None) -> None:
        if self._hangs(version):
            hang(self.mended)

    def snapshot(self) -> Snapshot:
        self._wait(None)
        return super().snapshot()

    def read(self, manifest: Manifest, *arguments: str) -> bytes:
        self._wait(manifest.version)
        return super().read(manifest, *arguments)


stuck = threading.Event()


def hang(until: threading.Event) -> None:
    """Wait, and let whoever waits for this lose patience at once."""
    stuck.set()
    until.wait()


@pytest.fixture(autouse=True)
def patience_ends_when_something_hangs(monkeypatch):
    """Rather than by the clock, which no test may depend on."""

    def wait(futures, _seconds):
        eventually(lambda: futures[0].done() or stuck.is_set())
        stuck.clear()

    monkeypatch.setattr("service.versions.patience.wait", wait)


class Looks(Observer):
    """Remembers the last look, and whether any has reached the repository."""

    def __init__(self) -> None:
        self.reached, self.hanging = 0, 0

    def looked(self, *, reached: bool, faults: int, hanging: int) -> None:
        self.reached, self.hanging = self.reached + reached, hanging


@pytest.fixture
def watch(folder):
    """A watcher, its store, its repository and what it tells: `watch(hangs)`."""
    repositories = []

    def begin(hangs: Callable[[int | None], bool], **options: object):
        repositories.append(Hanging(str(folder), hangs))
        store, looks = Store(repositories[-1].url), Looks()
        watcher = Watcher(repositories[-1], store, observer=looks, **options)
        return watcher, store, repositories[-1], looks

    yield begin
    for each in repositories:
        each.mended.set()


def test_a_version_that_hangs_is_refused_and_the_next_good_one_is_picked_up(repository, watch, caplog):
    publish(repository, seed=1)
    watcher, store, hanging, looks = watch(lambda version: version == 2)
    watcher.look()
    publish(repository, seed=2)
    watcher.look()
    assert store.choose().version == "1"
    assert "version 2 refused: mnist/2/weights.safetensors: no answer within" in caplog.text
    watcher.look()
    assert looks.hanging == 1
    publish(repository, seed=3)
    watcher.look()
    assert store.choose().version == "3"
    repository.promote(2, by="tests", why="it is tried again once the disk answers")
    watcher.look()
    assert store.choose().version == "3"
    hanging.mended.set()
    eventually(lambda: watcher.look() and store.choose().version == "2")
    assert looks.hanging == 0


def test_a_version_that_hangs_at_a_cold_start_gives_way_to_the_one_before(repository, watch):
    for seed in (1, 2):
        publish(repository, seed=seed)
    watcher, store, _, _ = watch(lambda version: version == 2)
    watcher.look()
    assert store.choose().version == "1"


def test_a_listing_that_hangs_unloads_nothing_and_is_seen_until_it_ends(repository, watch, caplog):
    publish(repository, seed=1)
    away = threading.Event()
    watcher, store, hanging, looks = watch(lambda version: version is None and away.is_set())
    watcher.look()
    publish(repository, seed=2)
    away.set()
    for _ in range(3):
        watcher.look()
    assert (looks.reached, looks.hanging) == (1, 1)
    assert store.choose().version == "1"
    assert caplog.text.count("no answer within") == 1, "it is said once"
    assert "s ago; version 1 goes on serving" in caplog.text
    away.clear()
    hanging.mended.set()
    eventually(lambda: watcher.look() and store.choose().version == "2")
    assert (looks.reached > 1, looks.hanging) == (True, 0)


def test_decisions_are_followed_while_the_repository_hangs_and_the_other_way_round(repository, watch, tmp_path):
    publish(repository, seed=1)
    away, mended = threading.Event(), threading.Event()

    class Decided(DecisionFile):
        def read(self) -> Decisions:
            if away.is_set():
                hang(mended)
            return super().read()

    decisions = Decided(tmp_path)
    watcher, store, hanging, _ = watch(lambda version: version is None and not away.is_set(), decisions=decisions)
    hanging.mended.set()
    watcher.look()
    hanging.mended.clear()
    decisions.change(lambda now: now.close(True))
    watcher.look()
    assert not store.ready()
    decisions.change(lambda now: now.close(False))
    watcher.look()
    assert store.ready()
    away.set()
    hanging.mended.set()
    publish(repository, seed=2)
    eventually(lambda: watcher.look() and store.choose().version == "2")
    mended.set()
