"""How images are spread: a few plain features of each, in bins. A manifest keeps it of what its version has learned."""

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Spread

__all__ = ["FEATURES", "counts", "features", "spread_of"]

CELLS = 4
"""A side of 28 pixels is cut into 4 cells of 7."""

FEATURES = 1 + CELLS * CELLS
"""The ink of the whole image, and that of each cell, row by row."""

_CELL = np.kron(np.arange(CELLS * CELLS).reshape(CELLS, CELLS), np.ones((7, 7), int))  # (28, 28): each pixel's cell

_MEANS = np.column_stack([np.full(784, 1 / 784), (_CELL.reshape(-1, 1) == np.arange(CELLS * CELLS)) / 49]).astype(
    np.float32
)
"""(784, FEATURES): one product with it gives all means, several times as fast as taking them cell by cell."""

_QUANTILES = np.arange(1, 10) / 10
"""Ten bins that hold a tenth of the training images each, where a feature has enough different values for it."""


def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mean ink of each image, and of each of its cells: thicker, paler, noisy, moved or cut digits change them.

    Args:
        images: (N, 28, 28), 0 background to 255 ink.

    Returns:
        (N, FEATURES), 0 to 255.
    """
    return images.reshape(len(images), -1).astype(np.float32) @ _MEANS


def spread_of(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> Spread:
    """Describe the images that a network is trained on.

    Args:
        images: (N, 28, 28), N at least 1.
        labels: (N,), 0 to classes − 1.
        classes: How many labels there are.
    """
    found = features(images)
    # Cells in the corners are empty in nearly all images, and so are many of their quantiles: one edge for them all.
    edges = tuple(tuple(np.unique(np.quantile(column, _QUANTILES)).tolist()) for column in found.T)
    shares = tuple(tuple((bins / len(images)).tolist()) for bins in counts(found, edges))
    label_shares = np.bincount(labels, minlength=classes) / len(images)
    return Spread(count=len(images), edges=edges, shares=shares, label_shares=tuple(label_shares.tolist()))


def counts(found: NDArray[np.float32], edges: tuple[tuple[float, ...], ...]) -> list[NDArray[np.int64]]:
    """How many images fall into each bin of each feature.

    Args:
        found: (N, FEATURES), as `features` gives them.
        edges: As `Spread` has them.

    Returns:
        For each feature, (number of edges + 1,).
    """
    return [
        np.bincount(np.searchsorted(np.asarray(row), column), minlength=len(row) + 1)
        for column, row in zip(found.T, edges, strict=True)
    ]
