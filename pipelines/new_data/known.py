"""`KnownPictures`: which new pictures are copies of MNIST's, also if they were compressed on the way."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.mnist import Mnist
from core.digit import PIXELS, SIDE

__all__ = ["KnownPictures"]

_NEAR = 8.0
"""Levels of 255, as root mean square over the pixels: two pictures that differ by no more are taken for the same one.
Copies in JPEG of quality 75 differ by 5 (median); of 400 of MNIST's own images, the most similar pair by 10.
"""

_BLOCK = 4
"""Side of the blocks whose mean levels are compared first, in pixels."""

_AT_A_TIME = 256
"""New pictures that are compared at a time: their products with 70,000 known ones take 72 MB."""


class KnownPictures:
    """The pictures of a data set, to be found again."""

    def __init__(self, mnist: Mnist) -> None:
        """Prepare all pictures, those to train on and those to test with."""
        self._images = [mnist.train_images, mnist.test_images]
        means = np.concatenate([_block_means(images) for images in self._images])  # (K, 49)
        # With a further column, one product gives ab − b²/2 for each pair, and a² + b² − 2ab needs no array more.
        self._columns = np.column_stack([means, -0.5 * np.square(means).sum(axis=1)]).T.copy()  # (50, K)

    def copies(self, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether each of some framed pictures (N, 28, 28) is a copy: (N,)."""
        starts = range(0, len(images), _AT_A_TIME)
        found = [self._copies(images[start : start + _AT_A_TIME]) for start in starts]
        return np.concatenate([np.empty(0, bool), *found])

    def _copies(self, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
        # The distance of block means, times the pixels of a block, never exceeds that of the pictures themselves
        # (Jensen's inequality), so no copy is missed among those whose means are near.
        means = _block_means(images)
        most = PIXELS * _NEAR**2
        least = 0.5 * (np.square(means).sum(axis=1) - most / _BLOCK**2 - 1)  # 1: the rounding of float32
        near = np.column_stack([means, np.ones(len(means), np.float32)]) @ self._columns >= least[:, None]  # (N, K)
        found = np.zeros(len(images), bool)
        for n in np.flatnonzero(near.any(axis=1)):
            differences = self._at(np.flatnonzero(near[n])).astype(np.int32) - images[n]  # whole numbers: no rounding
            found[n] = np.square(differences).sum(axis=(1, 2)).min() <= most
        return found

    def _at(self, indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        """The known pictures at these indices, of which those to test with come last."""
        train, test = self._images
        first = indices[indices < len(train)]
        return np.concatenate([train[first], test[indices[len(first) :] - len(train)]])


def _block_means(images: NDArray[Any]) -> NDArray[np.float32]:
    """The mean levels of the blocks of images (N, 28, 28): (N, 49)."""
    side = SIDE // _BLOCK
    blocks = images.reshape(-1, side, _BLOCK, side, _BLOCK)
    means: NDArray[np.float32] = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(-1, side * side)
    return means
