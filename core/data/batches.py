"""Mini-batches, and the split that keeps some images aside for validation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError


@dataclass(frozen=True)
class Split:
    """Which images train and which validate: two disjoint sorted arrays of indices that cover the set."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]

    @classmethod
    def random(cls, count: int, validation: int, rng: np.random.Generator) -> "Split":
        """Set `validation` of `count` images aside.

        Raises:
            DatasetError: Not at least one image on each side.
        """
        if not 0 < validation < count:
            raise DatasetError(f"cannot set {validation} of {count} images aside for validation, only 1 to {count - 1}")
        order = rng.permutation(count)
        return cls(train=np.sort(order[validation:]), validation=np.sort(order[:validation]))


class Batches:
    """Inputs and labels in mini-batches, in a new order at each pass.

    Iterating yields (x, labels): (B, …) and (B,). B is `batch_size`, save in the last batch, which holds the rest.
    The arrays are buffers or views: read them only, and before the next ones are drawn.
    """

    def __init__(
        self,
        x: NDArray[Any],
        labels: NDArray[np.integer],
        *,
        batch_size: int,
        rng: np.random.Generator | None = None,
    ) -> None:
        """Wrap arrays that are ready for the network.

        Args:
            x: Inputs, (N, …).
            labels: (N,).
            batch_size: Images in a batch.
            rng: Source of the order; None keeps the given order.

        Raises:
            DatasetError: Counts that differ, no image at all, or an impossible batch size.
        """
        if len(x) != len(labels):
            raise DatasetError(f"{len(x)} inputs, but {len(labels)} labels")
        if not len(x):
            raise DatasetError("no images to make batches of, expected at least 1")
        if batch_size < 1:
            raise DatasetError(f"batch size {batch_size}, expected at least 1")
        self._x, self._labels, self._rng = x, labels, rng
        self.batch_size = min(batch_size, len(x))

    @property
    def images(self) -> int:
        """Images in one pass."""
        return len(self._x)

    def __len__(self) -> int:
        """Batches in one pass."""
        return -(-len(self._x) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[np.integer]]]:
        """One pass over all images."""
        if self._rng is None:
            for start in range(0, self.images, self.batch_size):
                stop = start + self.batch_size
                yield self._x[start:stop], self._labels[start:stop]
            return
        order = self._rng.permutation(self.images)
        buffer = np.empty((self.batch_size, *self._x.shape[1:]), self._x.dtype)
        for start in range(0, self.images, self.batch_size):
            rows = order[start : start + self.batch_size]
            # mode="clip" (the indices are known to be good) lets NumPy write straight into `out`.
            x = np.take(self._x, rows, axis=0, out=buffer[: len(rows)], mode="clip")
            yield x, self._labels[rows]
