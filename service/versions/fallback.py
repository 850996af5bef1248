"""Whether a version does so much worse than the one before it that the service falls back by itself.

An image counts as a failure if its forward pass failed, if one of its probabilities is not a finite number, or if no
digit could be found in its picture. If both versions can refuse an image as no digit, the refused ones count as well.
If only one of them can, they do not: a version must not be demoted for noticing what its predecessor could not notice.

The two versions are compared by Fisher's exact test (R. A. Fisher, "Statistical Methods for Research Workers", 1934,
§21.02): if both fail equally often, how probable is it that so many of the failures fall to the new one? It is exact
for small counts too, and needs no minimum for the earlier version.

The test is repeated again and again, and falling back must not happen by chance. Hence three more conditions: a
probability below one in a million, a rate that is higher by at least five points, and failures in several different
seconds, so that a single burst of blank pictures demotes no version.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from math import exp, isfinite, lgamma

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from service.loaded import Loaded
from service.observer import Observer

__all__ = ["Fallback", "by_chance", "worse"]

WINDOW_SECONDS = 60
"""Seconds of the sliding window; older images say nothing about the present."""

LEAST_IMAGES = 50
"""Images of the new version before it is judged."""

LEAST_SECONDS = 3
"""Different seconds in which the new version must have failed."""

LEAST_RISE = 0.05
"""By how much its rate of failures must be higher."""

CHANCE = 1e-6
"""How improbable the difference must be if both versions fail equally often."""


def by_chance(bad: int, count: int, bad_before: int, count_before: int) -> float:
    """Fisher's exact test, one-sided: P(X ≥ bad), X hypergeometric.

    Args:
        bad: Failures of the new version.
        count: Its images.
        bad_before: Failures of the earlier version.
        count_before: Its images.
    """
    all_bad, every = bad + bad_before, count + count_before
    total = 0.0
    for k in range(bad, min(count, all_bad) + 1):
        # C(all_bad, k) · C(every − all_bad, count − k) / C(every, count)
        term = exp(_choose(all_bad, k) + _choose(every - all_bad, count - k) - _choose(every, count))
        total += term
        if term < total * 1e-12:  # beyond the mean, terms only shrink
            break
    return min(total, 1.0)


def worse(bad: int, count: int, bad_before: int, count_before: int) -> bool:
    """Whether the new version fails so much more often that it cannot be chance."""
    if count < LEAST_IMAGES or not count_before:
        return False
    if bad / count - bad_before / count_before < LEAST_RISE:
        return False
    return by_chance(bad, count, bad_before, count_before) < CHANCE


class Tally:
    """A version's images and failures, by second, over a sliding window. Any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: deque[list[int]] = deque()  # [second, images, failures, refusals], the latest last

    def add(self, second: int, images: int, bad: int, refused: int) -> None:
        """Count images, failures and refusals; no image is both a failure and a refusal."""
        with self._lock:
            if not self._seconds or self._seconds[-1][0] != second:
                self._seconds.append([second, 0, 0, 0])
                while self._seconds[0][0] <= second - WINDOW_SECONDS:
                    self._seconds.popleft()
            for place, count in enumerate((images, bad, refused), 1):
                self._seconds[-1][place] += count

    def sums(self, *, refusals: bool) -> tuple[int, int, int]:
        """Images, failures, and seconds with failures, in the window that ends with the last image.

        Args:
            refusals: Whether refusals count as failures.
        """
        with self._lock:
            bad = [failed + (refused if refusals else 0) for _, _, failed, refused in self._seconds]
            return sum(each[1] for each in self._seconds), sum(bad), sum(1 for count in bad if count)


class Fallback(Observer):
    """Counts the versions' failures, and judges a new version by the one before it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is counted yet.

        Args:
            clock: Gives the time in seconds.
        """
        self._clock = clock
        self._tallies: dict[tuple[int, str], Tally] = {}

    def computed(self, loaded: Loaded, images: NDArray[np.uint8], answers: Answers, _seconds: float) -> None:
        """A batch was computed; rows that are not finite count as failures."""
        # A sum is finite only if every term is; rows are looked at one by one only if it is not.
        if isfinite(np.add.reduce(answers.probabilities, axis=None)):
            bad, refused = 0, int(np.count_nonzero(answers.rejected))
        else:
            sound = np.isfinite(answers.probabilities).all(axis=1)
            bad, refused = int(np.count_nonzero(~sound)), int(np.count_nonzero(answers.rejected & sound))
        self._add(loaded, len(images), bad, refused)

    def found(self, loaded: Loaded, images: NDArray[np.uint8], answers: Answers, seconds: float) -> None:
        """All the digits in one picture were read; each of them counts like an image."""
        self.computed(loaded, images, answers, seconds)

    def rejected(self, loaded: Loaded, _reason: str) -> None:
        """No digit could be found in a picture."""
        self._add(loaded, 1, 1)

    def failed(self, loaded: Loaded, images: int) -> None:
        """A batch could not be computed."""
        self._add(loaded, images, images)

    def _add(self, loaded: Loaded, images: int, bad: int, refused: int = 0) -> None:
        key = (loaded.number, loaded.weights_sha256)
        tally = self._tallies.get(key) or self._tallies.setdefault(key, Tally())
        tally.add(int(self._clock()), images, bad, refused)

    def verdict(self, new: Loaded, before: Loaded) -> str | None:
        """Why the service must fall back from `new` to `before`; None if it need not."""
        tallies = [self._tallies.get((each.number, each.weights_sha256)) for each in (new, before)]
        if tallies[0] is None or tallies[1] is None:
            return None
        refusals = new.predictor.rejection is not None and before.predictor.rejection is not None
        sums = [tally.sums(refusals=refusals) for tally in tallies if tally]
        (count, bad, seconds), (count_before, bad_before, _) = sums
        if seconds < LEAST_SECONDS or not worse(min(bad, count), count, min(bad_before, count_before), count_before):
            return None
        return (
            f"the service has fallen back from it: {bad} of {count} images failed or were rejected "
            f"({bad / count:.0%}), with {before.words} {bad_before} of {count_before} ({bad_before / count_before:.1%})"
        )

    def forget(self, kept: Collection[Loaded]) -> None:
        """Keep the counts of these versions only."""
        keys = {(loaded.number, loaded.weights_sha256) for loaded in kept}
        for key in [key for key in list(self._tallies) if key not in keys]:  # a copy: calls may add to it meanwhile
            self._tallies.pop(key, None)


def _choose(n: int, k: int) -> float:
    """log C(n, k)"""
    if not 0 <= k <= n:
        return float("-inf")
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
