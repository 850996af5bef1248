"""Maximum and minimum over square windows, in a few passes whatever the window's size."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", np.uint8, np.float32)


def closing(values: NDArray[Scalar], window: int) -> NDArray[Scalar]:
    """Grayscale closing of (H, W) by a square: fills what is darker than its surroundings and narrower than `window`.

    Strokes vanish; shadows and tables, which are wider, remain, with their edges in place. A dark strip along the edge
    of the picture counts as wide, because the edge is repeated outward.
    """
    padded = np.pad(values, window - 1, mode="edge")
    return _square(np.minimum, _square(np.maximum, padded, window), window)


def dilation(values: NDArray[Scalar], reach: int) -> NDArray[Scalar]:
    """The largest value within `reach` rows and columns of each pixel, (H, W): bright strokes grow on all sides."""
    return _square(np.maximum, np.pad(values, reach, mode="edge"), 2 * reach + 1)


def _square(pick: Callable[..., NDArray[Scalar]], values: NDArray[Scalar], window: int) -> NDArray[Scalar]:
    """`pick` over all squares of `window`² pixels: (H, W) → (H - window + 1, W - window + 1)."""
    return slide(pick, slide(pick, values, window).T, window).T


def slide(pick: Callable[..., NDArray[Scalar]], values: NDArray[Scalar], window: int) -> NDArray[Scalar]:
    """`pick` over `window` consecutive rows, for `window` - 1 rows fewer; spans double, so log2(window) passes do."""
    span = 1
    while 2 * span <= window:
        values = pick(values[:-span], values[span:])
        span *= 2
    rest = window - span
    return pick(values[:-rest], values[rest:]) if rest else values
