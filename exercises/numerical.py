"""Numerical gradients: what every backward pass is compared with."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["gradient"]

Array = NDArray[Any]


def gradient(f: Callable[[Array], Any], x: Array, dy: Array, h: float = 1e-5) -> Array:
    """∂L/∂x with L = Σ dy · f(x), by central differences, one number of x after the other.

    Args:
        f: Any function of an array.
        x: Where; float64, any shape.
        dy: The gradient of L with respect to f(x), in its shape.
        h: Half the distance of the two points.

    Returns:
        In the shape of x; off by about h² and by 1e-16 / h.
    """
    found = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        found[index] = ((f(up) - f(down)) * dy).sum() / (2 * h)
    return found
