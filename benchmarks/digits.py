"""The images for every contender: MNIST, normalized once, before anything is timed."""

from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import mnist
from core.data.normalize import Normalizer

DIGITS = Path(__file__).parents[1] / "data" / "mnist"


@cache
def training_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The training split: normalized images (60000, 784) and labels (60000,), as int64, which PyTorch needs."""
    digits = mnist.load(DIGITS)
    images = Normalizer.fit(digits.train_images).apply(digits.train_images)
    return images.reshape(len(images), -1), digits.train_labels.astype(np.int64)


def batches(count: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Endless row indices of batches, (size,) each: one shuffled epoch, repeated; the same for every contender."""
    order = np.random.default_rng(0).permutation(count)
    return cycle([order[start : start + size] for start in range(0, count - size + 1, size)])
