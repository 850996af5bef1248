"""Filters of images: the Gaussian blur, and the dilation and erosion of 3×3 pixels."""

from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["extreme_around", "gaussian"]


def gaussian(size: int, sigma: float) -> NDArray[np.float32]:
    """K, (size, size): K x blurs the columns of x, which counts as 0 beyond its ends. K[i, j] = N(i − j; 0, σ²).

    A normal density at integer points sums to 1 within 10⁻⁸ for σ of at least 1, and within 1.5% for σ down to ½.
    """
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    K: NDArray[np.float32] = (np.exp(-(distance**2) / (2 * sigma**2)) / (sigma * sqrt(2 * pi))).astype(np.float32)
    return K


def extreme_around(images: NDArray[Any], pick: np.ufunc) -> NDArray[Any]:
    """The largest or smallest of the 3×3 pixels around each pixel; at the edge of an image, of those within it.

    Args:
        images: (N, H, W).
        pick: `np.maximum` for a dilation, `np.minimum` for an erosion.

    Returns:
        (N, H, W), a new array.
    """
    down = images.copy()
    pick(down[:, 1:], images[:, :-1], out=down[:, 1:])
    pick(down[:, :-1], images[:, 1:], out=down[:, :-1])
    across = down.copy()
    pick(across[:, :, 1:], down[:, :, :-1], out=across[:, :, 1:])
    pick(across[:, :, :-1], down[:, :, 1:], out=across[:, :, :-1])
    return across
