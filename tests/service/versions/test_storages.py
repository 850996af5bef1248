"""The watcher and its storage: a folder, whose changes are noticed, and a bucket, which is polled.

The bucket is moto's server, a process of its own, which is killed for an outage. It loses everything when it ends.
"""

import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.artifact.objects import Objects
from core.artifact.repository import Repository
from service.versions.store import Store
from service.versions.watcher import Watcher
from service.wishes import Wishes
from tests.patience import eventually
from tests.service.harness import expected
from tests.service.tiny_model import publish

PATIENCE = 1000.0
"""Seconds between two looks: so many that what is noticed in a test was noticed without polling."""


class Bucket:
    """An S3 that can go away and come back, with what was in it."""

    def __init__(self, stack: ExitStack) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._stack = stack
        self._process: subprocess.Popen[bytes] | None = None
        self._kept: dict[str, bytes] = {}

    def begin(self) -> None:
        """Listen, and hold what was remembered."""
        command = [sys.executable, "-m", "moto.server", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(self.end)
        eventually(self._answers)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/models", method="PUT")
        with urllib.request.urlopen(request):
            objects = Objects("s3://models", writable=True)
        for path, data in self._kept.items():
            assert objects.create(path, data)

    def end(self) -> None:
        """Be killed, whatever is under way."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remember(self) -> None:
        """Keep what it holds for its next start."""
        objects = Objects("s3://models")
        self._kept = {found.path: objects.get(found.path) or b"" for found in objects.list("mnist")}

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def bucket(monkeypatch):
    with ExitStack() as stack:
        found = Bucket(stack)
        for name, value in {
            "AWS_ENDPOINT": f"http://127.0.0.1:{found.port}", "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        found.begin()
        yield found


def test_an_outage_of_the_bucket_unloads_nothing_and_its_end_is_noticed(bucket, pixels, caplog):
    repository = Repository("s3://models")
    publish(repository, seed=1)
    store = Store("s3://models")
    watcher = Watcher(Repository("s3://models"), store)
    watcher.start(0.05, lambda: None)
    try:
        eventually(store.active)
        right = expected(repository, 1, pixels)
        publish(repository, seed=2)
        bucket.remember()
        eventually(lambda: store.choose().version == "2")
        repository.alias().rollback(by="tests", why="to see that it is followed")
        eventually(lambda: store.choose().version == "1")
        bucket.end()
        eventually(lambda: "version 1 goes on serving" in caplog.text)
        assert tuple(store.choose().predictor.probabilities(pixels[None])[0].tolist()) == right
        bucket.begin()  # in which version 2 is champion
        eventually(lambda: store.choose().version == "2")
    finally:
        watcher.stop()


def test_a_look_at_an_unchanged_bucket_is_one_listing_and_no_read(bucket, monkeypatch):
    asked: Counter[str] = Counter()
    for name in ("list", "get"):
        truly = getattr(Objects, name)

        def counting(self, path, *limits, name=name, truly=truly):
            asked[name] += 1
            return truly(self, path, *limits)

        monkeypatch.setattr(Objects, name, counting)
    repository = Repository("s3://models")
    publish(repository, seed=1)
    repository.promote(1, by="tests", why="it has two names", alias="challenger")
    watched = Repository("s3://models")
    store = Store(watched.url, wishes=Wishes(also=("challenger",)))
    look = Watcher(watched, store).look
    look()
    asked.clear()
    for _ in range(5):
        look()
    assert asked == {"list": 5}
    publish(repository, seed=2, promote=False)
    asked.clear()
    look()
    assert asked == {"list": 1}, "a version that is not wanted is not read either"
    repository.promote(2, by="tests", why="better")
    asked.clear()
    look()
    assert store.choose().version == "2"
    assert asked == {"list": 1, "get": 3}, "one move of the alias, one manifest, one file of weights"


# a folder


@pytest.fixture
def watching(folder):
    """The store of a watcher that does not poll."""
    store = Store(str(folder))
    watcher = Watcher(Repository(str(folder)), store)
    looks = []
    watcher.start(PATIENCE, lambda: looks.append(store.active()))
    eventually(lambda: looks)
    yield store
    watcher.stop()


@pytest.fixture
def there(repository):
    publish(repository, seed=1)
    return repository


def test_a_promotion_in_a_folder_is_noticed_without_polling(there, watching):
    assert watching.choose().version == "1"
    publish(there, seed=2)
    eventually(lambda: watching.choose().version == "2")
    there.alias().rollback(by="tests", why="worse")
    eventually(lambda: watching.choose().version == "1")


def test_a_link_that_is_switched_to_another_folder_is_followed_without_polling(folder, tmp_path):
    for name, seed in [("old", 1), ("new", 2)]:
        publish(Repository(str(tmp_path / name), writable=True), seed=seed)
    switch(folder, tmp_path / "old")
    store = Store(str(folder))
    watcher = Watcher(Repository(str(folder)), store)
    watcher.start(PATIENCE, lambda: None)
    try:
        eventually(store.active)
        before = store.choose().weights_sha256
        switch(folder, tmp_path / "new")
        eventually(lambda: store.choose().weights_sha256 != before)
        publish(Repository(str(tmp_path / "new"), writable=True), seed=3)
        eventually(lambda: store.choose().version == "2")
    finally:
        watcher.stop()


def switch(link: Path, target: Path) -> None:
    """Let a link lead elsewhere in one step, as `ln -sfn` does."""
    fresh = link.with_name("fresh")
    fresh.symlink_to(target)
    fresh.replace(link)


def test_a_folder_that_is_made_later_is_watched_from_then_on(repository, watching):
    publish(repository, seed=1)
    # The first version may come before the folder is watched: a later one is noticed.
    eventually(lambda: publish(repository, seed=2) and watching.active())


def test_a_folder_that_cannot_be_watched_is_polled(there, folder, monkeypatch, caplog):
    def refuse(*_, **__):
        raise OSError("too many watches")

    monkeypatch.setattr("service.versions.notice.watch", refuse)
    store = Store(str(folder))
    watcher = Watcher(Repository(str(folder)), store)
    watcher.start(0.05, lambda: None)
    try:
        eventually(store.active)
        publish(there, seed=2)
        eventually(lambda: store.choose().version == "2")
        eventually(lambda: "cannot be watched (too many watches): it is polled instead" in caplog.text)
    finally:
        watcher.stop()
