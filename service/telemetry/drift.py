"""How far the pictures that come in have moved from those that the version was trained on.

The score is the population stability index: Σ (found − expected) · ln(found / expected) over the bins of a feature,
where both are shares of the images. N. Siddiqi, "Credit Risk Scorecards" (Wiley, 2006), gives the usual reading: below
0.1 nothing has changed, above 0.25 much has. It is the sum of the Kullback-Leibler divergences both ways.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Spread
from core.artifact.spread import FEATURES, counts, features

__all__ = ["Window", "stability_index"]

WINDOW = 1000
"""How many of the last images are compared."""

ENOUGH = 500
"""With fewer, chance alone moves the index: by about (bins − 1) / images where nothing has changed."""

PER_TICK = 500
"""How many images are looked at from one tick to the next, at most: the rest is like them, and costs nothing."""

SMALLEST_SHARE = 1e-4
"""What an empty bin counts as: the logarithm of 0 is not a number."""


def stability_index(expected: Sequence[float], found: Sequence[float] | NDArray[np.float64]) -> float:
    """The population stability index of one feature.

    Args:
        expected: Shares of the images in each bin.
        found: Likewise, of other images.
    """
    p = np.maximum(np.asarray(expected, np.float64), SMALLEST_SHARE)
    q = np.maximum(np.asarray(found, np.float64), SMALLEST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


class Window:
    """The last images that one version has seen, and what it read in them."""

    def __init__(self, spread: Spread) -> None:
        """Begin empty.

        Args:
            spread: What the version was trained on.
        """
        self._spread = spread
        self._features = np.empty((WINDOW, FEATURES), np.float32)
        self._digits = np.empty(WINDOW, np.int64)
        self._seen = 0
        self._new: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []
        self._room = PER_TICK

    def add(self, images: NDArray[np.uint8], digits: NDArray[np.int64]) -> None:
        """Keep a copy of the images, as far as there is room until the next tick.

        Args:
            images: (N, 28, 28).
            digits: (N,): what was read in each.
        """
        taken = min(len(images), self._room)
        if not taken:
            return
        self._room -= taken
        self._new.append((images[:taken].copy(), digits[:taken]))

    def tick(self) -> tuple[float, float] | None:
        """Make room again, and compare.

        Returns:
            The index of the feature that has moved most, and that of the digits that were read; None where there are
            not enough images yet.
        """
        self._take_in()
        if self._seen < ENOUGH:
            return None
        filled = min(self._seen, WINDOW)
        bins = counts(self._features[:filled], self._spread.edges)
        digits = np.bincount(self._digits[:filled], minlength=len(self._spread.label_shares))
        pairs = zip(self._spread.shares, bins, strict=True)
        return (
            max(stability_index(expected, found / filled) for expected, found in pairs),
            stability_index(self._spread.label_shares, digits / filled),
        )

    def _take_in(self) -> None:
        """Measure what was added, all at once."""
        self._room = PER_TICK
        if not self._new:
            return
        images, digits = (np.concatenate(parts) for parts in zip(*self._new, strict=True))
        self._new.clear()
        places = (self._seen + np.arange(len(images))) % WINDOW
        self._features[places] = features(images)
        self._digits[places] = digits
        self._seen += len(images)
