"""Brings versions into memory, off the serving path, and remembers which ones cannot be loaded."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from core.errors import ArtifactError, RepositoryError
from core.inference.predict import rebuild
from service.errors import NotEnoughMemoryError, StorageHungError
from service.loaded import Loaded, label
from service.observer import Observer
from service.telemetry.once import Once
from service.versions import memory, policy
from service.versions.storage import Storage
from service.wire import in_words
from service.wishes import PRETRAINED_NUMBER

__all__ = ["Fetch", "Loader", "fetch"]

_log = logging.getLogger(__name__)


def fetch(number: int, repository: Storage, pretrained: Storage | None = None, stamp: str = "") -> Loaded:
    """Read, verify, rebuild, probe and warm a version.

    Args:
        number: One of the repository's versions, or `PRETRAINED_NUMBER`.
        repository: Where versions are published.
        pretrained: The repository whose champion `PRETRAINED_NUMBER` stands for.
        stamp: What its objects look like.

    Raises:
        ArtifactError: It cannot be served.
    """
    if pretrained and number == PRETRAINED_NUMBER:
        source, version = pretrained, pretrained.champion()
    else:
        source, version = repository, number
    manifest = source.manifest(version, stamp)
    memory.require(manifest, memory.left())
    loaded = Loaded.of(number, rebuild(manifest, source.weights(manifest, stamp)), manifest)
    loaded.warm()
    return loaded


class Fetch(Protocol):
    """Gives the version of a number, or raises."""

    def __call__(self, number: int, *, stamp: str) -> Loaded:
        """See `fetch`."""


class Loader:
    """Loads versions. One that was refused is not tried again until its objects change.

    One whose objects could not be read in time is refused as well, so that others are not kept waiting for it; it is
    tried again as soon as the read that was left behind has ended, too.

    Attributes:
        refusals: Why versions are refused, by number.
        postponed: Why versions could not be loaded for now, through no fault of their own.
    """

    def __init__(self, fetch: Fetch, once: Once, observer: Observer) -> None:
        """Nothing was tried yet.

        Args:
            fetch: Brings a version into memory.
            once: Logs findings.
            observer: Notified of each version that could not be loaded.
        """
        self.refusals: dict[int, policy.Refusal] = {}
        self.postponed: dict[int, str] = {}
        self._hung: dict[int, Callable[[], bool]] = {}  # by number, whether the read has ended
        self._fetch = fetch
        self._once = once
        self._observer = observer

    def refused(self, stamps: Mapping[int, str]) -> frozenset[int]:
        """The versions that need not be tried."""
        return policy.still_refused(self.refusals, stamps)

    def load(self, number: int, stamp: str, going_on: str) -> Loaded | None:
        """Load a version; None if it cannot be served, which is logged and remembered.

        Args:
            number: The version.
            stamp: What its objects look like.
            going_on: What serves meanwhile, in words.

        Raises:
            RepositoryError: The storage has failed. This is not held against the version.
            NotEnoughMemoryError: There is too little memory. Neither is this.
        """
        self._once.say(f"loading {number}", logging.INFO, f"loading {in_words(label(number))}")
        try:
            loaded = self._fetch(number, stamp=stamp)
        except StorageHungError as error:
            self._observer.load_failed(label(number), type(error).__name__)
            self._hung[number] = error.ended
            self._refuse(number, error, stamp, going_on)
            return None
        except (RepositoryError, NotEnoughMemoryError) as error:
            if self.postponed.get(number) != str(error):
                self._observer.load_failed(label(number), type(error).__name__)
            self.postponed[number] = str(error)
            raise
        except Exception as error:  # noqa: BLE001 — no version, however odd, may stop the watcher
            self._observer.load_failed(label(number), type(error).__name__)
            self._refuse(number, error, stamp, going_on)
            return None
        self.refusals.pop(number, None)
        self.postponed.pop(number, None)
        self._once.all_resolved()
        return loaded

    def reasons(self, wanted: Collection[int | None]) -> dict[int, str]:
        """Why versions are not loaded, as far as they were tried.

        Args:
            wanted: The versions that are wanted now: for all others it does not matter that they had to wait.
        """
        waiting = {number: reason for number, reason in self.postponed.items() if number in wanted}
        return waiting | {number: refusal.reason for number, refusal in self.refusals.items()}

    def forgive(self, numbers: Iterable[int]) -> None:
        """Try these versions again, even if they were refused."""
        for number in numbers:
            self.refusals.pop(number, None)

    def forgive_answered(self) -> bool:
        """Try those versions again whose objects could not be read in time, where the read has ended since.

        Returns:
            Whether there are any.
        """
        answered = [number for number, ended in self._hung.items() if ended()]
        for number in answered:
            del self._hung[number]
        self.forgive(answered)
        return bool(answered)

    def say_again(self, number: int, going_on: str) -> None:
        """Log once more why a version is refused, if it is, because it is newly asked for."""
        if refusal := self.refusals.get(number):
            _log.error("%s refused: %s; %s", in_words(label(number)), refusal.reason, going_on)

    def _refuse(self, number: int, error: Exception, stamp: str, going_on: str) -> None:
        expected = isinstance(error, ArtifactError)
        reason = str(error) if expected else f"{type(error).__name__}: {error}"
        known = self.refusals.get(number)
        self.refusals[number] = policy.Refusal(reason, stamp)
        if known is None or known.reason != reason:
            finding = f"{in_words(label(number))} refused: {reason}; {going_on}"
            _log.error("%s", finding, exc_info=None if expected else error)
