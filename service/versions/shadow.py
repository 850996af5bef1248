"""Shadow mode: off the serving path, a challenger computes the same images as the served version, for comparison.

If the two frame pictures differently, the images of the one are not those that the other needs. Then only encoded
pictures are compared, each framed once more, for the challenger; images that clients have framed are not compared.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import PictureError
from core.inference.answers import Answers
from service.loaded import Loaded
from service.observer import Observer
from service.versions import policy
from service.versions.comparison import Comparison
from service.versions.store import Store

__all__ = ["Shadow"]

WAITING = 64
"""Batches that may wait for the challenger; further ones are dropped, so that no call waits for it."""

PICTURES = 8
"""Decoded pictures that may be held for it, likewise; each takes up to 10 MB."""

TELL_EVERY = 60.0
"""Seconds between two lines of the log, as long as images are compared."""

PAIRS = 16
"""How many comparisons are remembered, the latest ones."""

NONE = -1
"""The digit of an image that is rejected."""

_log = logging.getLogger(__name__)


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
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self._pictures = threading.Semaphore(PICTURES)
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

    def computed(self, loaded: Loaded, images: NDArray[np.uint8], answers: Answers, _seconds: float) -> None:
        """Pass a share of what was computed on to the challenger."""
        challenger = self._drawn(loaded, same_framing=True)
        if challenger is None:
            return
        if self._waiting.full():  # no need to copy
            self._add(loaded, challenger, dropped=len(images))
            return
        images = images.copy()
        found = Answers(answers.probabilities.copy(), answers.digitness.copy(), answers.rejected.copy())
        self._put(loaded, challenger, len(images), lambda: self._compare(loaded, challenger, images, found))

    def framed(self, loaded: Loaded, picture: Image.Image, image: NDArray[np.uint8] | PictureError) -> None:
        """Pass a share of the encoded pictures on to a challenger that frames them differently."""
        challenger = self._drawn(loaded, same_framing=False)
        if challenger is None:
            return
        if not self._pictures.acquire(blocking=False):
            self._add(loaded, challenger, dropped=1)
            return

        def compare() -> None:
            try:
                self._compare_framings(loaded, challenger, image, challenger.framed(picture))
            finally:
                self._pictures.release()

        if not self._put(loaded, challenger, 1, compare):
            self._pictures.release()

    def _drawn(self, loaded: Loaded, *, same_framing: bool) -> Loaded | None:
        """The challenger, if it is its turn to be compared with a version, in this way."""
        share = self._share
        challenger = self._store.named(share.name) if share else None
        if share is None or challenger is None or challenger is loaded:
            return None
        if (challenger.framing == loaded.framing) is not same_framing:
            return None
        return challenger if policy.drawn(share.fraction, "", next(self._turns)) else None

    def _put(self, served: Loaded, challenger: Loaded, images: int, compare: Callable[[], None]) -> bool:
        """Let the thread compare when it comes to it; whether there was room for that."""
        try:
            self._waiting.put_nowait(compare)
        except queue.Full:
            self._add(served, challenger, dropped=images)
            return False
        return True

    def _run(self) -> None:
        while compare := self._waiting.get():
            compare()
            del compare  # or it would keep both versions in memory after they were replaced
            if self._clock() - self._told >= TELL_EVERY:
                self._told = self._clock()
                _log.info("%s", self.comparisons()[-1].line())

    def _compare(self, served: Loaded, challenger: Loaded, images: NDArray[np.uint8], answers: Answers) -> None:
        """Compare the answers to the same images."""
        try:
            found = challenger.predictor.answers(images)
        except Exception as error:  # noqa: BLE001 — a failure of the challenger is counted
            self._failed(served, challenger, len(images), error)
            return
        sound = np.isfinite(np.add.reduce(found.probabilities, axis=1))  # (N,)
        p, q = answers.probabilities[sound], found.probabilities[sound]
        ours, theirs = (_read(each)[sound] for each in (answers, found))
        self._add(
            served,
            challenger,
            images=len(p),
            disagreed=int(np.count_nonzero(ours != theirs)),
            difference=float(np.abs(p - q).mean(axis=1).sum()),
            failed=len(sound) - len(p),
        )

    def _compare_framings(
        self,
        served: Loaded,
        challenger: Loaded,
        image: NDArray[np.uint8] | PictureError,
        other: NDArray[np.uint8] | PictureError,
    ) -> None:
        """Compare the answers to one picture, framed for each of the two; a digit that only one finds is none."""
        try:
            found = [
                None if isinstance(each, PictureError) else version.predictor.answers(each[np.newaxis])
                for version, each in ((served, image), (challenger, other))
            ]
        except Exception as error:  # noqa: BLE001 — as above
            self._failed(served, challenger, 1, error)
            return
        ours, theirs = (NONE if each is None else int(_read(each)[0]) for each in found)
        p, q = (np.zeros(1) if each is None else each.probabilities for each in found)
        difference = float(np.abs(p - q).mean())
        if isfinite(difference):
            self._add(served, challenger, images=1, disagreed=int(ours != theirs), difference=difference)
        else:
            self._add(served, challenger, failed=1)

    def _failed(self, served: Loaded, challenger: Loaded, images: int, error: Exception) -> None:
        _log.debug("shadow: %s failed", challenger.words, exc_info=error)
        self._add(served, challenger, failed=images)

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
        if images:
            self._tell.shadowed(challenger, images, disagreed)


def _read(answers: Answers) -> NDArray[np.int64]:
    """The digit in each image; `NONE` where the version refuses to read one: (N,)."""
    return np.where(answers.rejected, NONE, answers.probabilities.argmax(axis=1))
