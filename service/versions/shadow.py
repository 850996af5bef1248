"""Shadow mode: off the serving path, a challenger computes the same images as the served version, for comparison."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from service.loaded import Loaded
from service.observer import Observer
from service.versions import policy
from service.versions.store import Store

__all__ = ["Comparison", "Shadow"]

WAITING = 64
"""Batches that may wait for the challenger; further ones are dropped, so that no call waits for it."""

TELL_EVERY = 60.0
"""Seconds between two lines of the log, as long as images are compared."""

PAIRS = 16
"""How many comparisons are remembered, the latest ones."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """How a challenger's answers compare with those of the version that served.

    Attributes:
        served: The version that answered.
        challenger: The version that answered no call.
        images: How many images both have computed.
        disagreed: For how many of them they found different digits.
        difference: Sum over the images of |p − q|, averaged over the ten digits.
        dropped: Images that were drawn but not compared, because the challenger was too slow.
        failed: Images for which the challenger failed, or gave numbers that are not finite.
    """

    served: str
    challenger: str
    images: int = 0
    disagreed: int = 0
    difference: float = 0.0
    dropped: int = 0
    failed: int = 0

    @property
    def mean_difference(self) -> float:
        """Average of |p − q| over images and digits."""
        return self.difference / self.images if self.images else 0.0

    def line(self) -> str:
        """The comparison as a line of the log."""
        share = self.disagreed / self.images if self.images else 0.0
        return (
            f"shadow: versions {self.challenger} and {self.served} disagree on {self.disagreed} of "
            f"{self.images} images ({share:.2%}); probabilities differ by {self.mean_difference:.2g} on average; "
            f"{self.failed} failed, {self.dropped} dropped"
        )


class Shadow(Observer):
    """Has the challenger compute a share of the traffic, in a thread of its own, which `stop` ends."""

    def __init__(self, store: Store, tell: Observer | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Compare nothing yet.

        Args:
            store: Its wishes name the challenger and its share.
            tell: Notified of each comparison.
            clock: Gives the time in seconds, for the log.
        """
        self._store = store
        self._share = store.wishes.shadow
        self._tell = tell or Observer()
        self._clock = clock
        self._told = clock()
        self._turns = count()
        self._waiting: queue.Queue[tuple[Loaded, Loaded, NDArray[np.uint8], NDArray[np.float32]] | None]
        self._waiting = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._pairs: dict[tuple[str, str], Comparison] = {}
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        if self._share:
            self._thread.start()

    def comparisons(self) -> list[Comparison]:
        """All pairs, the latest last."""
        with self._lock:
            return list(self._pairs.values())

    def stop(self, timeout: float = 1.0) -> None:
        """Stop comparing; what waits is discarded."""
        self._share = None
        if self._thread.is_alive():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put(None)
            self._thread.join(timeout)

    def computed(
        self, loaded: Loaded, images: NDArray[np.uint8], probabilities: NDArray[np.float32], _seconds: float
    ) -> None:
        """Pass a share of what was computed on to the challenger."""
        share = self._share
        if share is None or not policy.drawn(share.fraction, "", next(self._turns)):
            return
        challenger = self._store.named(share.name)
        if challenger is None or challenger is loaded:
            return
        try:
            if self._waiting.full():  # no need to copy
                raise queue.Full
            self._waiting.put_nowait((loaded, challenger, images.copy(), probabilities.copy()))
        except queue.Full:
            self._add(loaded, challenger, dropped=len(images))

    def _run(self) -> None:
        while item := self._waiting.get():
            self._compare(*item)
            del item  # or it would keep both versions in memory after they were replaced
            if self._clock() - self._told >= TELL_EVERY:
                self._told = self._clock()
                _log.info("%s", self.comparisons()[-1].line())

    def _compare(
        self, served: Loaded, challenger: Loaded, images: NDArray[np.uint8], probabilities: NDArray[np.float32]
    ) -> None:
        try:
            found = challenger.predictor.probabilities(images)  # (N, 10)
        except Exception as error:  # noqa: BLE001 — a failure of the challenger is counted
            _log.debug("shadow: %s failed", challenger.words, exc_info=error)
            self._add(served, challenger, failed=len(images))
            return
        sound = np.isfinite(found).all(axis=1)  # (N,)
        p, q = probabilities[sound], found[sound]
        disagreed = int((p.argmax(axis=1) != q.argmax(axis=1)).sum())
        self._add(
            served,
            challenger,
            images=len(p),
            disagreed=disagreed,
            difference=float(np.abs(p - q).mean(axis=1).sum()),
            failed=len(found) - len(p),
        )
        self._tell.shadowed(challenger, len(p), disagreed)

    def _add(
        self,
        served: Loaded,
        challenger: Loaded,
        *,
        images: int = 0,
        disagreed: int = 0,
        difference: float = 0.0,
        dropped: int = 0,
        failed: int = 0,
    ) -> None:
        pair = (served.version, challenger.version)
        with self._lock:
            known = self._pairs.pop(pair, None) or Comparison(*pair)
            self._pairs[pair] = replace(
                known,
                images=known.images + images,
                disagreed=known.disagreed + disagreed,
                difference=known.difference + difference,
                dropped=known.dropped + dropped,
                failed=known.failed + failed,
            )
            if len(self._pairs) > PAIRS:
                del self._pairs[next(iter(self._pairs))]
