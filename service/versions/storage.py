"""A repository as the service reads it: each read ends in time, one way or the other."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.artifact.alias import Move
from core.artifact.manifest import MANIFEST, WEIGHTS, Manifest
from core.artifact.repository import Repository, Snapshot
from core.artifact.summary import Summary
from service.versions.patience import Patience

__all__ = ["STORAGE_SECONDS", "Storage"]

STORAGE_SECONDS = 30.0
"""How long a read may take, unless the settings say otherwise."""

SLOWEST = 1024 * 1024
"""Bytes per second that weights may be expected to arrive with: large ones get more time."""

T = TypeVar("T")


class Storage:
    """A repository whose reads are left behind when they hang.

    Every method may raise `StorageHungError` beside what the repository raises.

    Attributes:
        url: Where the repository is.
        listing_seconds: CPU time that the last snapshot took.
    """

    def __init__(
        self, repository: Repository, patience: Patience | None = None, seconds: float = STORAGE_SECONDS
    ) -> None:
        """Read nothing yet.

        Args:
            repository: What is read.
            patience: Waits for reads; shared by all that belong to one service.
            seconds: How long a read may take; weights get a second more for each `SLOWEST` bytes.
        """
        self.url = repository.url
        self.listing_seconds = 0.0
        self._repository = repository
        self._patience = patience or Patience()
        self._seconds = seconds

    def exists(self) -> bool:
        """Whether the local folder exists; a bucket is assumed to."""
        return self._patience.run(f"repository {self.url}", self._repository.exists, self._seconds)

    def snapshot(self) -> Snapshot | None:
        """Versions and aliases; None if the repository is a local folder that does not exist."""

        def take() -> Snapshot | None:
            if not self._repository.exists():
                return None
            begin = time.thread_time()
            found = self._repository.snapshot()
            self.listing_seconds = time.thread_time() - begin
            return found

        return self._patience.run(f"repository {self.url}", take, self._seconds)

    def history(self, alias: str) -> Sequence[Move]:
        """The sound moves of an alias, the oldest first."""
        return self._patience.run(f"the history of {alias}", self._repository.alias(alias).history, self._seconds)

    def champion(self) -> int:
        """The version that the champion alias points to."""
        return self._patience.run(f"the champion of {self.url}", self._repository.champion, self._seconds)

    def manifest(self, number: int, stamp: str = "") -> Manifest:
        """The manifest of a version.

        Args:
            number: The version.
            stamp: What its objects look like. Once they look different, they are read though the earlier ones hang.
        """
        name = f"{self._repository.model}/{number}/{MANIFEST}"
        return self._patience.run(name, lambda: self._repository.manifest(number), self._seconds, stamp)

    def summary(self, number: int, stamp: str, seconds: float) -> Summary:
        """What a list shows of the manifest of a version, read within `seconds`; the stamp is as above."""
        name = f"{self._repository.model}/{number}/{MANIFEST}"
        return self._patience.run(name, lambda: self._repository.summary(number), seconds, stamp)

    def for_each(self, numbers: Sequence[int], act: Callable[[int], T]) -> list[T]:
        """The results of a function that reads something of a version, in order; in a bucket, several at a time."""
        return list(self._repository.for_each(numbers, act))

    def newest_moves(
        self, alias: str, most: int, below: int | None, seconds: float
    ) -> tuple[list[tuple[int, Move]], bool]:
        """The newest sound moves of an alias, read within `seconds`: see `core.artifact.alias.AliasLog.newest`."""
        log = self._repository.alias(alias)
        return self._patience.run(f"the newest moves of {alias}", lambda: log.newest(most, below), seconds)

    def weights(self, manifest: Manifest, stamp: str = "") -> bytes:
        """The weights of a version, with their digest checked; the stamp is as above."""
        name = f"{manifest.name}/{manifest.version}/{WEIGHTS}"
        seconds = self._seconds + (manifest.files[WEIGHTS].size / SLOWEST if WEIGHTS in manifest.files else 0)
        return self._patience.run(name, lambda: self._repository.read(manifest), seconds, stamp)

    def document(self, manifest: Manifest, filename: str) -> bytes:
        """One of the other files of a version, with its digest checked."""
        name = f"{manifest.name}/{manifest.version}/{filename}"
        return self._patience.run(name, lambda: self._repository.read(manifest, filename), self._seconds)

    def sealed_manifest(self, number: int) -> bytes:
        """The bytes of a version's manifest, which were checked to be a manifest, and what was written."""

        def read() -> bytes:
            self._repository.manifest(number)  # raises if it is not, or if there is none
            return self._repository.raw_manifest(number) or b""

        return self._patience.run(f"{self._repository.model}/{number}/{MANIFEST}", read, self._seconds)
