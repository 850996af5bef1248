"""How far images differ from those that a version was trained on, as one number.

It is the population stability index: Σ (found − expected) · ln(found / expected) over the bins of a feature, where both
are shares of the images. It is the sum of the Kullback-Leibler divergences in both directions. By the usual rule, below
0.1 nothing has changed, and above 0.25 much has: N. Siddiqi, "Credit Risk Scorecards" (Wiley, 2006).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.artifact.spread import Spread, counts

__all__ = ["ENOUGH", "drift", "stability_index"]

ENOUGH = 500
"""With fewer images there is no score: chance alone gives an index of about (bins − 1) / images."""

SMALLEST_SHARE = 1e-4
"""The share that an empty bin counts as: the logarithm of 0 is not finite."""


def stability_index(expected: Sequence[float], found: Sequence[float] | NDArray[np.float64]) -> float:
    """The population stability index of one feature.

    Args:
        expected: The share of the images in each bin.
        found: The same for other images.
    """
    p = np.maximum(np.asarray(expected, np.float64), SMALLEST_SHARE)
    q = np.maximum(np.asarray(found, np.float64), SMALLEST_SHARE)
    return float(((q - p) * np.log(q / p)).sum())


def drift(spread: Spread, found: NDArray[np.float32]) -> float:
    """The index of the feature that differs most.

    Args:
        spread: The distribution of the images that a version was trained on.
        found: (N, FEATURES), N at least 1: the features of other images, as `core.artifact.spread.features` gives them.
    """
    bins = counts(found, spread.edges)
    pairs = zip(spread.shares, bins, strict=True)
    return max(stability_index(expected, shares / len(found)) for expected, shares in pairs)
