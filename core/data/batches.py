"""Mini-batches: the images in a new order at each pass, taken and prepared a batch at a time."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.ahead import ahead
from core.data.large import let_go
from core.data.shuffle import Blocks
from core.errors import DatasetError
from core.kernels import aligned

Prepare = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.float32]]
"""From a batch of images to the network's inputs: uint8 (B, …) → a new float32 array (B, …)."""

_LET_GO = 1 << 16
"""Images after which a memory map is let go: a stretch of `Blocks` as they come, 50 MB of MNIST's."""


class Batches:
    """Inputs and labels in mini-batches, in a new order at each pass.

    Iterating yields (x, labels): (B, …) and (B,). B is `batch_size`, save in the last batch, which holds the rest.
    The arrays are buffers or views: read them only, and before the next ones are drawn.

    A pass draws from `rng` exactly twice, as it begins: a permutation and a seed. Batch k is prepared with a generator
    made of that seed and k. So the number of threads changes no bit of any batch, and to restore the state that `rng`
    had after some pass is to go on from there.

    Images in a memory map (`core.data.large`) are let go behind the pass, so that memory holds a stretch of them.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[np.integer],
        *,
        batch_size: int,
        rng: np.random.Generator | None = None,
        prepare: Prepare | None = None,
        workers: int = 0,
        blocks: Blocks | None = None,
    ) -> None:
        """Wrap arrays, which stay as they are.

        Args:
            images: (N, …), in memory or mapped.
            labels: (N,).
            batch_size: Images in a batch.
            rng: Source of the order; None keeps the given order.
            prepare: Called for each batch, from several threads at once; None takes the images as they are. Where
                nothing is random, preparing all images once and for all is faster, if there is memory for it.
            workers: Background threads that take and prepare batches ahead; 0 does it in the thread that iterates. They
                help where preparing takes long (augmentation) or waits (for the disk). BLAS calls in `prepare` use as
                many threads each as BLAS is set to: set it to one.
            blocks: Shuffle by blocks, for images that do not fit into memory; None shuffles them all.

        Raises:
            DatasetError: Counts that differ, no image at all, an impossible batch size or number of workers, or blocks
                without a generator to shuffle them.
        """
        if len(images) != len(labels):
            raise DatasetError(f"{len(images)} inputs, but {len(labels)} labels")
        if not len(images):
            raise DatasetError("no images to make batches of, expected at least 1")
        if batch_size < 1:
            raise DatasetError(f"batch size {batch_size}, expected at least 1")
        if workers < 0:
            raise DatasetError(f"{workers} workers, expected at least 0")
        if blocks is not None and rng is None:
            raise DatasetError(
                "blocks to shuffle, but no generator; pass rng as well, or leave both for the given order"
            )
        # As plain arrays: a np.memmap would make one of each batch.
        self._images, self._labels = np.asarray(images), np.asarray(labels)
        self._rng, self._prepare, self._workers = rng, prepare, workers
        self._blocks = blocks or Blocks(rows=1, mixed=len(images))
        self.batch_size = min(batch_size, len(images))

    @property
    def images(self) -> int:
        """Images in one pass."""
        return len(self._images)

    def __len__(self) -> int:
        """Batches in one pass."""
        return -(-self.images // self.batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[np.integer]]]:
        """One pass over all images."""
        seed = 0
        rows: Iterator[slice | NDArray[np.intp]]
        if self._rng is None:
            rows = (slice(start, start + self.batch_size) for start in range(0, self.images, self.batch_size))
        else:
            order = self._blocks.order(self.images, self._rng)
            seed = int(self._rng.integers(1 << 63))
            rows = self._blocks.batches(self.images, order, seed, self.batch_size)
        # One buffer for all batches, where the thread that fills it is the one that reads it. Behind workers each batch
        # has memory of its own; a ring of buffers was no faster, the allocator hands the same memory out again.
        shape = self.batch_size, *self._images.shape[1:]
        buffer = None if self._workers else aligned.empty(shape, self._images.dtype)

        def make(job: tuple[int, slice | NDArray[np.intp]]) -> tuple[NDArray[Any], NDArray[np.integer]]:
            batch, rows = job
            x = self._take(rows, buffer)
            if self._prepare is not None:
                x = self._prepare(x, np.random.default_rng([seed, batch]))
            return x, self._labels[rows]

        with closing(ahead(make, enumerate(rows), workers=self._workers)) as made:
            for batch, (x, labels) in enumerate(made, start=1):
                yield x, labels
                if batch * self.batch_size % _LET_GO < self.batch_size:
                    let_go(self._images)
                    let_go(self._labels)

    def _take(self, rows: slice | NDArray[np.intp], buffer: NDArray[Any] | None) -> NDArray[Any]:
        if isinstance(rows, slice):
            return self._images[rows]
        # mode="clip" (the indices are known to be good) lets NumPy write straight into `out`.
        out = None if buffer is None else buffer[: len(rows)]
        return np.take(self._images, rows, axis=0, out=out, mode="clip")
