"""How the watcher follows a repository, one look at a time: without server, threads or pauses."""

import logging
import shutil
import time
from itertools import pairwise

import pytest

from core.artifact.repository import Repository, Snapshot
from core.errors import RepositoryError
from service.observer import Observer
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.core.artifact.forbidden import forbid
from tests.patience import eventually
from tests.service.tiny_model import damage, publish, weights_file


@pytest.fixture
def log(caplog):
    """What was logged since it was read last, one string."""
    caplog.set_level(logging.INFO)

    def read() -> str:
        text = "\n".join(record.getMessage() for record in caplog.records)
        caplog.clear()
        return text

    return read


@pytest.fixture
def store(folder):
    return Store(str(folder))


@pytest.fixture
def watched(folder, store):
    """Looks once, and returns the version that serves then."""
    watcher = Watcher(Repository(str(folder)), store)

    def look() -> str | None:
        watcher.look()
        return store.active().version if store.active() else None

    return look


def test_a_promotion_is_followed_and_a_publication_alone_is_not(repository, watched, log):
    publish(repository, seed=1)
    assert watched() == "1"
    publish(repository, seed=2, promote=False)
    assert watched() == "1"
    repository.promote(2, by="tests", why="better")
    assert watched() == "2"
    assert "serving version 2" in log()


def test_a_rollback_is_followed(repository, watched):
    publish(repository, seed=1)
    publish(repository, seed=2)
    assert watched() == "2"
    repository.alias().rollback(by="tests", why="worse")
    assert watched() == "1"


def test_a_look_that_finds_nothing_new_logs_nothing(repository, watched, log):
    publish(repository, seed=1)
    watched()
    log()
    assert watched() == "1"
    assert log() == ""


def test_a_missing_repository_is_logged_once_with_the_command_that_makes_one(repository, folder, watched, log):
    assert watched() is None
    said = log()
    assert folder.as_uri() in said
    assert "python -m pipelines retrain" in said
    assert watched() is None
    folder.mkdir()
    assert watched() is None
    assert log() == ""
    publish(repository, seed=1)
    assert watched() == "1"


def test_a_damaged_champion_is_refused_once_while_the_one_before_serves(repository, folder, watched, log):
    publish(repository, seed=1)
    watched()
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    repository.alias().promote(2, by="tests", why="better")
    log()
    assert watched() == "1"
    said = log()
    assert "version 2 refused: mnist/2/weights.safetensors" in said
    assert "version 1 goes on serving" in said
    assert watched() == "1"
    publish(repository, seed=3, promote=False)  # something else has changed: nothing is logged again
    assert watched() == "1"
    assert log() == ""


def test_a_damaged_champion_that_is_repaired_in_place_is_served(repository, folder, watched):
    publish(repository, seed=1)
    watched()
    publish(repository, seed=2)
    sound = damage(weights_file(folder, 2))
    assert watched() == "1"
    weights_file(folder, 2).write_bytes(sound)
    assert watched() == "2"


def test_a_sound_version_promoted_after_a_damaged_one_is_served(repository, folder, watched):
    publish(repository, seed=1)
    watched()
    publish(repository, seed=2)
    damage(weights_file(folder, 2))
    assert watched() == "1"
    publish(repository, seed=3)
    assert watched() == "3"


def test_a_damaged_version_that_is_promoted_again_is_logged_again(repository, folder, watched, log):
    publish(repository, seed=1)
    publish(repository, seed=2, promote=False)
    damage(weights_file(folder, 2))
    for _ in range(2):
        repository.alias().promote(2, by="tests", why="surely it is sound")
        assert watched() == "1"
        assert "version 2 refused" in log()
        repository.promote(1, by="tests", why="it is not")
        assert watched() == "1"


def test_at_a_cold_start_the_last_sound_champion_stands_in_for_a_damaged_one(repository, folder, watched, log):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    publish(repository, seed=4, promote=False)
    damage(weights_file(folder, 3))
    damage(weights_file(folder, 2))
    assert watched() == "1"
    said = log()
    assert "version 3 refused" in said
    assert "version 2 refused" in said
    assert "version 1 stands in for the champion, version 3" in said


def test_at_a_cold_start_without_a_sound_version_the_next_sound_one_is_served(repository, folder, watched, log):
    publish(repository, seed=1)
    damage(weights_file(folder, 1))
    assert watched() is None
    assert "no version can be served" in log()
    assert watched() is None
    assert log() == ""
    publish(repository, seed=2)
    assert watched() == "2"


def test_an_earlier_champion_stands_in_though_a_move_of_the_alias_is_damaged(repository, folder, watched, log):
    for seed in (1, 2, 3):
        publish(repository, seed=seed)
    damage(weights_file(folder, 3))
    (folder / "mnist/aliases/champion/000002.json").write_text("not a move")
    assert watched() == "1"
    assert "version 1 stands in for the champion, version 3" in log()


def test_a_torn_newest_move_gives_way_to_the_last_sound_one_loudly_and_once(repository, folder, store, log):
    publish(repository, seed=1)
    publish(repository, seed=2)
    (folder / "mnist/aliases/champion/000099.json").write_text("{")
    events = Looks()
    watcher = Watcher(Repository(str(folder)), store, observer=events)
    watcher.look()  # a cold start
    assert store.choose().version == "2"
    assert "mnist/aliases/champion/000099.json: not a move of an alias" in log()
    watcher.look()
    assert log() == ""
    assert events.last == {"reached": True, "faults": 1, "hanging": 0}
    publish(repository, seed=3)
    watcher.look()
    assert store.choose().version == "3"
    assert events.last["faults"] == 0


def test_a_version_that_may_not_be_read_is_said_once_and_a_stand_in_serves(repository, folder, store, log, monkeypatch):
    for seed in (1, 2):
        publish(repository, seed=seed)
    allow = forbid(folder / "mnist/2", monkeypatch)
    watcher = Watcher(Repository(str(folder)), store)
    watcher.look()
    assert store.choose().version == "1"
    said = log()
    assert "mnist/2: cannot be read: Permission denied; the user that runs this must be able to read it" in said
    assert "version 1 stands in for the champion, version 2" in said
    reasons = {status.version: status.reason for status in store.index()}
    assert "Permission denied" in reasons["2"]
    watcher.look()
    assert log() == ""
    allow()
    watcher.look()
    assert store.choose().version == "2"


class Looks(Observer):
    def looked(self, **found) -> None:
        self.last = found


@pytest.mark.parametrize("what", [".", "mnist", "mnist/aliases", "mnist/1"])
def test_a_version_that_vanishes_from_the_repository_goes_on_serving(repository, folder, watched, log, what):
    publish(repository, seed=1)
    watched()
    log()
    shutil.rmtree(folder / what)
    assert watched() == "1"
    assert "version 1 goes on serving" in log()
    assert watched() == "1"
    assert log() == ""


def test_a_repository_that_has_vanished_is_not_seen_and_one_yet_to_be_made_is(repository, folder, store):
    events = Looks()
    watcher = Watcher(Repository(str(folder)), store, observer=events)
    watcher.look()
    assert events.last["reached"]
    publish(repository, seed=1)
    watcher.look()
    assert events.last["reached"]
    shutil.rmtree(folder)
    for _ in range(2):
        watcher.look()
        assert not events.last["reached"]


def test_a_repository_that_comes_back_is_followed_again(repository, folder, watched, log):
    publish(repository, seed=1)
    watched()
    folder.rename(folder.with_name("elsewhere"))
    watched()
    log()
    folder.with_name("elsewhere").rename(folder)
    assert watched() == "1"
    assert "can be followed again" in log()
    publish(repository, seed=2)
    assert watched() == "2"


@pytest.fixture
def looks(repository):
    """Looks once with this policy, again and again with the same watcher."""
    watchers = {}

    def look(policy):
        if policy not in watchers:
            watchers[policy] = Watcher(repository, Store(repository.url, Wishes(policy=policy)))
        watchers[policy].look()

    return look


def test_an_alias_that_does_not_exist_is_waited_for_and_said_once_with_those_that_do(repository, looks, log):
    publish(repository, seed=1)
    for _ in range(3):
        looks("nosuch")
    said = log()
    assert said.count("names no nosuch, only champion; waiting for it") == 1
    assert "python -m pipelines models promote VERSION --alias nosuch" in said
    publish(repository, seed=2)
    looks("nosuch")
    assert log() == ""
    repository.promote(2, by="tests", why="it exists now", alias="nosuch")
    looks("nosuch")
    assert "serving version 2" in log()


def test_after_an_outage_nothing_is_followed_again_as_long_as_the_alias_does_not_exist(repository, folder, looks, log):
    publish(repository, seed=1)
    looks("nosuch")
    folder.rename(folder.with_name("elsewhere"))
    looks("nosuch")
    assert "does not exist" in log()
    folder.with_name("elsewhere").rename(folder)
    looks("nosuch")
    assert "again" not in log()
    repository.promote(1, by="tests", why="it exists now", alias="nosuch")
    looks("nosuch")
    assert "serving version 1" in log()


def test_a_repository_that_is_a_loop_of_links_is_named_once_without_a_traceback(folder, watched, log, caplog):
    folder.symlink_to(folder.with_name("again"))
    folder.with_name("again").symlink_to(folder)
    assert watched() is None
    assert watched() is None
    assert all(record.exc_info is None for record in caplog.records)
    assert log().count("Too many levels of symbolic links") == 1


def test_a_repository_that_was_made_anew_with_the_same_numbers_is_followed(repository, folder, store, watched):
    publish(repository, seed=1)
    watched()
    shutil.rmtree(folder)
    repository = Repository(str(folder), writable=True)  # a writer does not make a folder again that it has seen
    publish(repository, seed=2)
    assert watched() == "1"
    assert store.active().weights_sha256 == repository.manifest(1).files["weights.safetensors"].sha256


def test_a_version_is_tried_again_after_the_storage_failed_while_it_was_loaded(repository, folder, log):
    class Unsteady(Repository):
        """A disk cannot be made to fail between two reads."""

        fails = True

        def read(self, *arguments: object) -> bytes:
            if self.fails:
                raise RepositoryError("the network is down")
            return super().read(*arguments)

    unsteady = Unsteady(str(folder))
    store = Store(unsteady.url)
    watcher = Watcher(unsteady, store)
    publish(repository, seed=1)
    watcher.look()
    assert "the network is down" in log()
    watcher.look()
    assert log() == ""
    unsteady.fails = False
    watcher.look()
    assert store.active().version == "1"
    assert "refused" not in log()


def test_an_unforeseen_error_is_logged_once_and_the_watcher_keeps_its_pace(folder, repository, log):
    looks = []

    class Broken(Repository):
        def snapshot(self) -> Snapshot:
            looks.append(time.monotonic())
            if len(looks) < 4:
                raise ZeroDivisionError("a bug")
            return super().snapshot()

    broken = Broken(str(folder))
    store = Store(broken.url)
    watcher = Watcher(broken, store)
    publish(repository, seed=1)
    watcher.start(0.05, lambda: None)
    eventually(store.active)
    watcher.stop()
    assert log().count("unforeseen") == 1
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(looks))


def test_an_alias_of_a_missing_version_changes_nothing_that_serves(repository, watched, log):
    publish(repository, seed=1)
    watched()
    log()
    repository.alias().promote(9, by="tests", why="a slip")
    assert watched() == "1"
    assert "version 9 refused: mnist has no version 9; known: 1" in log()


def test_a_malformed_manifest_is_refused_like_any_damage(repository, folder, watched, log):
    publish(repository, seed=1)
    watched()
    log()
    publish(repository, seed=2)
    manifest = folder / "mnist/2/manifest.json"
    manifest.write_text(manifest.read_text().replace('"units": 16', '"units": "many"'))
    assert watched() == "1"
    assert "version 2 refused" in log()
