"""Brings versions into memory, off the serving path, and remembers which ones cannot be."""

import logging
from collections.abc import Collection, Mapping

from core.errors import ArtifactError, RepositoryError
from service.errors import NotEnoughMemoryError
from service.loaded import Loaded, label
from service.observer import Observer
from service.telemetry.once import Once
from service.versions import policy
from service.versions.store import Store
from service.wire import in_words

__all__ = ["Loader"]

_log = logging.getLogger(__name__)


class Loader:
    """Loads; a version that was refused is not tried again until its bytes are others.

    Attributes:
        refusals: Why versions are refused, by number.
        postponed: Why versions could not be loaded for now, which is not their fault.
    """

    def __init__(self, store: Store, once: Once, observer: Observer) -> None:
        """Nothing was tried yet.

        Args:
            store: What loads.
            once: Tells findings.
            observer: Is told of each version that could not be loaded.
        """
        self.refusals: dict[int, policy.Refusal] = {}
        self.postponed: dict[int, str] = {}
        self._observer = observer
        self._store = store
        self._once = once

    def refused(self, stamps: Mapping[int, str]) -> frozenset[int]:
        """The versions that need not be tried."""
        return policy.still_refused(self.refusals, stamps)

    def load(self, number: int, stamp: str, going_on: str) -> Loaded | None:
        """Load a version; None, and its reason remembered, where it cannot be.

        Args:
            number: Which one.
            stamp: What its objects look like.
            going_on: What serves meanwhile, in words.

        Raises:
            RepositoryError: The storage has failed, which is not held against the version.
            NotEnoughMemoryError: Nor is this.
        """
        self._once.say(f"loading {number}", logging.INFO, f"loading {in_words(label(number))}")
        self._store.loading = number
        try:
            loaded = self._store.load(number)
        except (RepositoryError, NotEnoughMemoryError) as error:
            if self.postponed.get(number) != str(error):
                self._observer.load_failed(label(number), type(error).__name__)
            self.postponed[number] = str(error)
            raise  # the next look tries again
        except Exception as error:  # noqa: BLE001 — no version, however odd, may stop the watcher
            self._observer.load_failed(label(number), type(error).__name__)
            self._refuse(number, error, stamp, going_on)
            return None
        finally:
            self._store.loading = None
        self.refusals.pop(number, None)
        self.postponed.pop(number, None)
        self._once.all_resolved()
        return loaded

    def reasons(self, asked: Collection[int]) -> dict[int, str]:
        """Why versions are not loaded, as far as it was tried.

        Args:
            asked: The versions that are wanted now: only for them does it matter what stood in the way.
        """
        waiting = {number: reason for number, reason in self.postponed.items() if number in asked}
        return waiting | {number: refusal.reason for number, refusal in self.refusals.items()}

    def _refuse(self, number: int, error: Exception, stamp: str, going_on: str) -> None:
        foreseen = isinstance(error, ArtifactError)
        reason = str(error) if foreseen else f"{type(error).__name__}: {error}"
        known = self.refusals.get(number)
        self.refusals[number] = policy.Refusal(reason, stamp)
        if known is None or known.reason != reason:
            finding = f"{in_words(label(number))} refused: {reason}; {going_on}"
            _log.error("%s", finding, exc_info=None if foreseen else error)

    def say_again(self, number: int, going_on: str) -> None:
        """Tell once more why a version is refused: somebody asks for it anew."""
        if refusal := self.refusals.get(number):
            _log.error("%s refused: %s; %s", in_words(label(number)), refusal.reason, going_on)
