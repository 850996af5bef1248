"""The spread of a set of images: the distribution of a few plain features. A manifest has that of its training images.

The service compares it with the images that it receives.
"""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from core.artifact.fields import Count, Fraction, Part, require_ascending, require_whole
from core.digit import PIXELS, SIDE

__all__ = ["FEATURES", "Spread", "counts", "features", "spread_of"]

CELLS = 4
"""Cells per side: each is 7 by 7 pixels."""

_CELL_SIDE = SIDE // CELLS

FEATURES = 1 + CELLS * CELLS
"""The ink of the whole image, and of each cell, row by row."""

_CELL = np.kron(  # (28, 28): the number of each pixel's cell
    np.arange(CELLS * CELLS).reshape(CELLS, CELLS), np.ones((_CELL_SIDE, _CELL_SIDE), int)
)

_MEANS = np.column_stack(
    [np.full(PIXELS, 1 / PIXELS), (_CELL.reshape(-1, 1) == np.arange(CELLS * CELLS)) / _CELL_SIDE**2]
).astype(np.float32)
"""(784, FEATURES): one product with it gives all means, several times as fast as computing them cell by cell."""

_QUANTILES = np.arange(1, 10) / 10
"""Edges of ten bins with a tenth of the training images each, if a feature has enough different values."""


_AT_ONCE = 4096
"""Images that are converted at once."""

_MOST_EDGES = 255
"""Of a feature: its values are mean pixels, and a training keeps nine."""


class Spread(Part):
    """The distribution of the training images, with which a service compares what it receives.

    Each feature's values are sorted into bins: bin k holds those above edge k − 1, up to and including edge k.
    """

    count: Annotated[Count, Field(ge=1)] = Field(description="The number of images.")
    edges: tuple[tuple[Annotated[float, Field(ge=0, le=255)], ...], ...] = Field(
        min_length=FEATURES, max_length=FEATURES, description="For each feature, ascending."
    )
    shares: tuple[tuple[Fraction, ...], ...] = Field(
        min_length=FEATURES, max_length=FEATURES, description="The share of the images in each bin of each feature."
    )
    label_shares: tuple[Fraction, ...] = Field(description="The share of the images with each label.")

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        for edges, shares in zip(self.edges, self.shares, strict=True):
            require_ascending(edges)
            if len(shares) != len(edges) + 1 or len(edges) > _MOST_EDGES:
                raise ValueError(f"{len(shares)} shares for {len(edges)} edges, expected one more than edges")
            require_whole(shares)
        require_whole(self.label_shares)
        return self


def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mean ink of each image and of its cells; they change if digits are thicker, paler, noisy, moved or cut off.

    Args:
        images: (N, 28, 28), 0 background to 255 ink.

    Returns:
        (N, FEATURES), 0 to 255.
    """
    found = np.empty((len(images), FEATURES), np.float32)
    for start in range(0, len(images), _AT_ONCE):  # MNIST as float32 would take 170 MB
        chunk = images[start : start + _AT_ONCE]
        found[start : start + len(chunk)] = chunk.reshape(len(chunk), -1).astype(np.float32) @ _MEANS
    return found


def spread_of(images: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> Spread:
    """The spread of the images that a network is trained on.

    Args:
        images: (N, 28, 28), N at least 1.
        labels: (N,), 0 to classes − 1.
        classes: How many labels there are.
    """
    found = features(images)
    # Cells in the corners are empty in nearly all images, so many of their quantiles are equal; each edge is kept once.
    edges = tuple(tuple(np.unique(np.quantile(column, _QUANTILES)).tolist()) for column in found.T)
    shares = tuple(tuple((bins / len(images)).tolist()) for bins in counts(found, edges))
    label_shares = np.bincount(labels, minlength=classes) / len(images)
    return Spread(count=len(images), edges=edges, shares=shares, label_shares=tuple(label_shares.tolist()))


def counts(found: NDArray[np.float32], edges: tuple[tuple[float, ...], ...]) -> list[NDArray[np.int64]]:
    """The number of images in each bin of each feature.

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
