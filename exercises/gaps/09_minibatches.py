"""Mini-batches: one epoch is a pass over all images, in a new order, a few at a time.

The gradient of a batch of 32 images costs a thousandth of that of 32,000, and points in nearly the same direction: the
error of a mean of N falls as 1/√N, while its cost grows as N. A new random order in every epoch keeps batches from
being alike, and from being sorted as a file may be.

Every image occurs exactly once. If the size does not divide their number, the last batch is smaller. An image and its
label must stay together.

In core: `train` in core/plain.py, core/data/batches.py.

When this passes, and 01 to 08 do, the check trains a network on MNIST that is made of your nine files.
"""

from collections.abc import Iterator

import numpy as np


def minibatches(
    x: np.ndarray, labels: np.ndarray, size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """x (M, …) and labels (M,) → one epoch: yields pairs of at most `size` images and their labels."""
    raise NotImplementedError  # your code
