"""Images together with the digits that they show."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.data.checked import check_labels
from core.digit import NO_DIGIT, PIXELS, SIDE
from core.errors import DatasetError

__all__ = ["ROW_BYTES", "Labeled"]

ROW_BYTES = 1 + PIXELS
"""Bytes of one packed image: its label, then its pixels row by row."""


@dataclass(frozen=True, eq=False)
class Labeled:
    """Some images and their labels, row by row.

    Attributes:
        images: uint8 (N, 28, 28), 0 background to 255 ink.
        labels: uint8 (N,), 0 to 9; or 10, `core.digit.NO_DIGIT`, for a training image that shows no digit.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Check shapes, types and range, which costs one look at the labels.

        Raises:
            DatasetError: Something else than the attributes say.
        """
        images, labels = self.images, self.labels
        if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE):
            raise DatasetError(f"images: {images.dtype} {images.shape}, expected uint8 (N, {SIDE}, {SIDE})")
        if labels.dtype != np.uint8:
            raise DatasetError(f"labels: {labels.dtype} {labels.shape}, expected uint8 (N,)")
        check_labels(labels, NO_DIGIT + 1)
        if len(images) != len(labels):
            raise DatasetError(f"{len(images):,} images, but {len(labels):,} labels")

    def __len__(self) -> int:
        """N, the number of images."""
        return len(self.images)

    def rows(self, chosen: NDArray[np.intp]) -> Self:
        """The images at these indices, in the order of the indices."""
        return type(self)(self.images[chosen], self.labels[chosen])

    def followed_by(self, more: Self) -> Self:
        """These images, and `more` after them."""
        return type(self)(np.concatenate([self.images, more.images]), np.concatenate([self.labels, more.labels]))

    def pack(self) -> bytes:
        """All images as bytes, `ROW_BYTES` each; `unpack` is the inverse."""
        return np.column_stack([self.labels, self.images.reshape(len(self), PIXELS)]).tobytes()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """The images that `pack` turned into these bytes; they are read-only views.

        Raises:
            DatasetError: Not a whole number of rows.
        """
        if len(data) % ROW_BYTES:
            raise DatasetError(f"{len(data):,} bytes of packed images, expected a multiple of {ROW_BYTES}")
        rows = np.frombuffer(data, np.uint8).reshape(-1, ROW_BYTES)
        return cls(rows[:, 1:].reshape(-1, SIDE, SIDE), rows[:, 0])
