"""Drift: how far the pictures of the calls differ from those that the version was trained on.

The score is the population stability index, see `core.artifact.stability`.
"""

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Spread
from core.artifact.spread import FEATURES, features
from core.artifact.stability import ENOUGH, drift, stability_index

__all__ = ["Window"]

WINDOW = 1000
"""The number of latest images that are compared."""

PER_TICK = 500
"""The most images that are recorded between two ticks. They stand for the rest, which then costs nothing."""


class Window:
    """The latest images that one version has computed, and the latest digits that it read."""

    def __init__(self, spread: Spread) -> None:
        """Begin empty.

        Args:
            spread: The distribution of the images that the version was trained on.
        """
        self._spread = spread
        self._features = np.empty((WINDOW, FEATURES), np.float32)
        self._digits = np.empty(WINDOW, np.int64)
        self._seen = self._read = 0
        self._new: list[tuple[NDArray[np.uint8], NDArray[np.int64]]] = []
        self._room = PER_TICK

    def add(self, images: NDArray[np.uint8], digits: NDArray[np.int64]) -> None:
        """Record a copy of the images, as far as there is room until the next tick.

        Args:
            images: (N, 28, 28).
            digits: (N,), the digit that was read in each; −1 for none, if the image was rejected.
        """
        taken = min(len(images), self._room)
        if not taken:
            return
        self._room -= taken
        self._new.append((images[:taken].copy(), digits[:taken]))

    def tick(self) -> tuple[float | None, float | None]:
        """Make room again, and compare.

        Returns:
            The index of the feature that has changed most, over all images; and that of the digits that were read, over
            the images that were not rejected. Each is None if there are not enough of them yet.
        """
        self._take_in()
        return self._input_score(), self._digit_score()

    def _input_score(self) -> float | None:
        if self._seen < ENOUGH:
            return None
        return drift(self._spread, self._features[: min(self._seen, WINDOW)])

    def _digit_score(self) -> float | None:
        if self._read < ENOUGH:
            return None
        filled = min(self._read, WINDOW)
        digits = np.bincount(self._digits[:filled], minlength=len(self._spread.label_shares))
        return stability_index(self._spread.label_shares, digits / filled)

    def _take_in(self) -> None:
        """Compute the features of the new images, all at once."""
        self._room = PER_TICK
        if not self._new:
            return
        images, digits = (np.concatenate(parts) for parts in zip(*self._new, strict=True))
        self._new.clear()
        self._features[(self._seen + np.arange(len(images))) % WINDOW] = features(images)
        self._seen += len(images)
        read = digits[digits >= 0]
        self._digits[(self._read + np.arange(len(read))) % WINDOW] = read
        self._read += len(read)
