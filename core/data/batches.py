"""Mini-batches: the images in a new order at each pass, taken and prepared a batch at a time."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.ahead import ahead
from core.data.checked import check_inputs, check_labels
from core.data.large import release
from core.data.shuffle import Blocks
from core.errors import DatasetError
from core.kernels import aligned

Prepare = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.float32]]
"""From a batch of images to the network's inputs: uint8 (B, …) → a new float32 array (B, …)."""

_RELEASED_AFTER = 1 << 16
"""Images after which a memory map is released: a stretch of the default `Blocks`, 50 MB of MNIST's images."""


class Batches:
    """Inputs and labels in mini-batches, in a new order at each pass.

    Iterating yields (x, labels): (B, …) and (B,). B is `batch_size`, except in the last batch, which holds the rest.
    The arrays are buffers or views: do not write to them, and use them before the next batch is drawn.

    A pass draws from `rng` exactly twice, at its beginning: a permutation and a seed. Batch k is prepared with a
    generator seeded with that seed and k. So the number of threads changes no bit of any batch, and a pass can be
    repeated or resumed from the state of `rng` before it.

    The pages of a memory map (`core.data.large`) are released behind the pass, so that only a stretch of the images is
    in memory.
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
        classes: int | None = None,
    ) -> None:
        """Wrap arrays; they are never written to, and they are checked here, once and for all passes.

        Args:
            images: (N, …), in memory or mapped: finite real numbers.
            labels: (N,), integers: the class of each image.
            batch_size: Images in a batch.
            rng: Source of the order; None keeps the given order.
            prepare: Called for each batch, from several threads at once; None takes the images as they are. If nothing
                about it is random, preparing all images once beforehand is faster, provided there is memory for it.
            workers: Background threads that take and prepare batches ahead; with 0, the iterating thread does it. They
                help where preparation is slow (augmentation) or waits (for the disk). Each BLAS call in `prepare` uses
                as many threads as BLAS is set to, so set it to one.
            blocks: How to shuffle by blocks images that do not fit into memory; None shuffles image by image.
            classes: How many classes the loss knows, 0 to `classes` − 1; None accepts any label that is not negative.

        Raises:
            DatasetError: Images or labels of another shape, type or range, counts that differ, no image at all, an
                impossible batch size or number of workers, or blocks without a generator to shuffle them.
        """
        check_inputs(images)
        check_labels(labels, classes)
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
        # Plain arrays: of a np.memmap, each batch would become one as well.
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
        # Without workers, all batches share one buffer, as the thread that fills it is the one that reads it. With
        # workers, each batch has memory of its own; a ring of buffers was no faster, since the allocator reuses memory.
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
                if batch * self.batch_size % _RELEASED_AFTER < self.batch_size:
                    release(self._images)
                    release(self._labels)

    def _take(self, rows: slice | NDArray[np.intp], buffer: NDArray[Any] | None) -> NDArray[Any]:
        if isinstance(rows, slice):
            return self._images[rows]
        # mode="clip" (the indices are known to be good) lets NumPy write straight into `out`.
        out = None if buffer is None else buffer[: len(rows)]
        return np.take(self._images, rows, axis=0, out=out, mode="clip")
