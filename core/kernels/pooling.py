"""Maxima and sums over windows of pixels, and their gradients, in as few and as long stretches of memory as possible.

NumPy is fast along long stretches and slow from one short stretch to the next, and a picture (N, H, W, C) with few
channels is made of short ones: of C numbers, where single columns are taken from it. So a window is reduced along its
rows first, in whole rows of W·C numbers, and only what is left along its columns.

Legend: x (N, H, W, C) with its padding (see `pad`), y (N, OH, OW, C), and dx, dy likewise; `rows` and `columns` are the
windows along the axes H and W. Results are in `scratch`, and valid until the next call with it.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from core.kernels.arrays import Array, Scratch, Step
from core.kernels.window import Window

_ROWS, _COLUMNS = 1, 2
"""Axes of (N, H, W, C)."""


def pad(x: Array, rows: Window, columns: Window, value: float, scratch: Scratch) -> Array:
    """x inside a frame of `value`; x itself where the windows have no padding."""
    shape = len(x), rows.padded, columns.padded, x.shape[3]
    if shape == x.shape:
        return x
    padded = scratch("padded", shape)
    padded.fill(value)
    padded[:, rows.inside, columns.inside] = x
    return padded


def crop(dx: Array, rows: Window, columns: Window, scratch: Scratch) -> Array:
    """The transpose of `pad`: dx without the gradient of the padding."""
    shape = len(dx), rows.size, columns.size, dx.shape[3]
    if shape == dx.shape:
        return dx
    cropped = scratch("cropped", shape)
    np.copyto(cropped, dx[:, rows.inside, columns.inside])
    return cropped


def max_pool(x: Array, rows: Window, columns: Window, scratch: Scratch) -> Array:
    """The largest number of each window: the maximum over its rows, then over its columns."""
    y, steps = max_pool_steps(x, rows, columns, scratch)
    for step in steps:
        step()
    return y


def max_pool_steps(x: Array, rows: Window, columns: Window, scratch: Scratch) -> tuple[Array, list[Step]]:
    """Where y will be, and the calls that compute it from what x contains at that time."""
    count, _, width, channels = x.shape
    over_rows = scratch("over rows", (count, rows.outputs, width, channels))
    y = scratch("y", (count, rows.outputs, columns.outputs, channels))
    steps = _maximum([_tap(x, _ROWS, rows, i) for i in range(rows.kernel)], over_rows)
    if count == 1:
        return y, steps + _maximum([_tap(over_rows, _COLUMNS, columns, j) for j in range(columns.kernel)], y)
    # NumPy copies stretches of C numbers three times as fast as it compares them: each column is made contiguous first.
    together = [scratch(f"column {j}", y.shape) for j in range(columns.kernel)]
    for seen, column in zip(columns.taps, together, strict=True):
        steps.append(partial(np.take, over_rows, seen, axis=_COLUMNS, out=column, mode="clip"))
    return y, steps + _maximum(together, y)


def _maximum(arrays: Sequence[Array], y: Array) -> list[Step]:
    """y = the largest number of all arrays in each place."""
    if len(arrays) == 1:
        return [partial(np.copyto, y, arrays[0])]
    first = partial(np.maximum, arrays[0], arrays[1], out=y)
    return [first, *(partial(np.maximum, y, array, out=y) for array in arrays[2:])]


def max_pool_backward(x: Array, y: Array, dy: Array, rows: Window, columns: Window, scratch: Scratch) -> Array:
    """dx = dy where x was the first largest of its window, row by row, else 0; summed where windows overlap.

    Arguments are those of `max_pool`, its result y, and the gradient dy for it.
    """
    dx = scratch("dx", x.shape)
    side_by_side = rows.stride == rows.kernel and columns.stride == columns.kernel
    if not side_by_side or rows.left_over or columns.left_over:
        dx.fill(0)
    if side_by_side:
        _give_by_rows(x, y, dy, dx, rows, columns, scratch)
    else:
        _give_by_pixels(x, y, dy, dx, rows, columns, scratch)
    return dx


def _give_by_pixels(x: Array, y: Array, dy: Array, dx: Array, rows: Window, columns: Window, scratch: Scratch) -> None:
    """Each pixel of the window, row by row: if it is as large as y, it takes dy, unless one before it has done so."""
    first, free = (scratch(name, dy.shape, bool) for name in ("first", "free"))
    share = scratch("share", dy.shape)
    free.fill(True)
    for i in range(rows.kernel):
        for j in range(columns.kernel):
            pixel, target = (_tap(_tap(array, _ROWS, rows, i), _COLUMNS, columns, j) for array in (x, dx))
            np.equal(pixel, y, out=first)
            first &= free
            free ^= first
            target += np.multiply(dy, first, out=share)


def _give_by_rows(x: Array, y: Array, dy: Array, dx: Array, rows: Window, columns: Window, scratch: Scratch) -> None:
    """The same for windows that lie side by side, where each pixel is in one of them: a whole row of pixels at a time.

    y and dy are first repeated for each column of their window. So numbers are compared and multiplied in long
    stretches; only the first of equals is found pixel by pixel, and that with the flags of up to 8 channels in one
    machine word: `own &= free` keeps the flags of those whose window is still free, `free ^= own` takes it.
    """
    window = columns.output_of_input  # (OW·kw,)
    count, _, _, channels = dy.shape
    shape = count, rows.outputs, len(window), channels
    largest, share = (
        np.take(array, window, axis=_COLUMNS, out=scratch(f"{name} by rows", shape), mode="clip")
        for name, array in (("y", y), ("dy", dy))
    )
    first = scratch("first by rows", shape, bool)
    words = first.view(_word(channels))  # (N, OH, OW·kw, words)
    free = scratch("free by rows", (*dy.shape[:3], words.shape[3]), words.dtype)  # (N, OH, OW, words)
    free.view(np.uint8).fill(1)
    for i in range(rows.kernel):
        row, target = (_tap(array, _ROWS, rows, i)[:, :, : len(window)] for array in (x, dx))
        np.equal(row, largest, out=first)
        for j in range(columns.kernel):
            for word in range(words.shape[3]):  # one by one: NumPy would loop over the few words of each pixel
                own, rest = words[:, :, j :: columns.kernel, word], free[..., word]
                np.bitwise_and(own, rest, out=own)
                np.bitwise_xor(rest, own, out=rest)
        np.multiply(share, first, out=target)


@cache
def _word(channels: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The widest whole number whose bytes divide the flags of a pixel's channels, of one byte each."""
    return np.dtype(f"u{next(size for size in (8, 4, 2, 1) if channels % size == 0)}")


def window_sums(x: Array, rows: Window, columns: Window, scratch: Scratch) -> Array:
    """The sum of each window: over its columns, then over its rows."""
    count, height, _, channels = x.shape
    over_columns = scratch("over columns", (count, height, columns.outputs, channels))
    y = scratch("y", (count, rows.outputs, columns.outputs, channels))
    _sum(x, over_columns, _COLUMNS, columns)
    _sum(over_columns, y, _ROWS, rows)
    return y


def window_sums_backward(dy: Array, rows: Window, columns: Window, scratch: Scratch) -> Array:
    """dx = the sum of dy over all windows in which a pixel is."""
    count, _, _, channels = dy.shape
    d_over_columns = scratch("d_over_columns", (count, rows.padded, columns.outputs, channels))
    dx = scratch("dx", (count, rows.padded, columns.padded, channels))
    _add_to_all(dy, d_over_columns, _ROWS, rows)
    _add_to_all(d_over_columns, dx, _COLUMNS, columns)
    return dx


def _sum(x: Array, y: Array, axis: int, window: Window) -> None:
    """y = the sum of each window along one axis."""
    np.copyto(y, _tap(x, axis, window, 0))
    for j in range(1, window.kernel):
        y += _tap(x, axis, window, j)


def _add_to_all(dy: Array, dx: Array, axis: int, window: Window) -> None:
    """The transpose of `_sum`: dx = each dy at every element of its window."""
    dx.fill(0)
    for j in range(window.kernel):
        target = _tap(dx, axis, window, j)
        target += dy


def _tap(x: Array, axis: int, window: Window, j: int) -> Array:
    """What the window's element j sees along an axis: a view of x, with one element for each output."""
    seen = window.tap(j)
    return x[:, seen] if axis == _ROWS else x[:, :, seen]
