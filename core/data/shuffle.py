"""A random order of images that reads a file in stretches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError

__all__ = ["Blocks"]


@dataclass(frozen=True)
class Blocks:
    """Shuffle by blocks: the order of the blocks is random, and the images of a few blocks at a time are mixed.

    Images taken from all over a file would make the disk read a page or more for each, and soon bring all pages of the
    file into memory. A block is read as a whole, and only the `mixed` blocks of a stretch are needed at once. The price
    is that the images of one block stay within one stretch, in every pass. For a file in random order that is no loss;
    for a sorted one, a stretch is as representative as its number of blocks allows. It is the same trade-off as with
    shuffled shards and a shuffle buffer in tf.data and WebDataset.

    Attributes:
        rows: Images per block. 1024 of MNIST's are 800 KB; where the system caches a file in pieces of up to 2 MB,
            much smaller blocks would map as much memory each.
        mixed: Blocks per stretch. 64 such blocks are 50 MB.
    """

    rows: int = 1024
    mixed: int = 64

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises:
            DatasetError: Less than one row or one block.
        """
        if self.rows < 1 or self.mixed < 1:
            raise DatasetError(f"{self.mixed} blocks of {self.rows} rows to mix, expected at least 1 of 1")

    def order(self, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
        """A random order of the blocks of `count` images."""
        return rng.permutation(-(-count // self.rows))

    def batches(self, count: int, order: NDArray[np.intp], seed: int, size: int) -> Iterator[NDArray[np.intp]]:
        """The rows of each batch of `size`; only the last may be shorter."""
        return _cut(self._stretches(count, order, seed), size)

    def _stretches(self, count: int, order: NDArray[np.intp], seed: int) -> Iterator[NDArray[np.intp]]:
        """Every row below `count` once, stretch by stretch, so that the list of all rows need not be in memory."""
        for start in range(0, len(order), self.mixed):
            blocks = order[start : start + self.mixed]
            if self.rows == 1:  # the order of the blocks is that of the images
                yield blocks
                continue
            rows = (blocks[:, np.newaxis] * self.rows + np.arange(self.rows)).ravel()  # (blocks · rows,)
            rows = rows[rows < count]  # the file's last block may be shorter
            # The 1 sets this generator apart from the one that prepares batch number `start`, seeded by [seed, start].
            np.random.default_rng([seed, start, 1]).shuffle(rows)
            yield rows


def _cut(stretches: Iterable[NDArray[np.intp]], size: int) -> Iterator[NDArray[np.intp]]:
    """Cut into pieces of `size`; the remainder of a stretch begins the next piece, and the last piece is the rest."""
    rest = np.empty(0, np.intp)
    for stretch in stretches:
        rows = np.concatenate([rest, stretch])
        whole = len(rows) - len(rows) % size
        yield from rows[:whole].reshape(-1, size)
        rest = rows[whole:]
    if len(rest):
        yield rest
