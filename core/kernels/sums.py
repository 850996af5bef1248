"""Sums down the columns of a matrix, and a number for each column applied to all of its rows.

NumPy works along the last axis of an array, and is slow if that axis is short: 8 channels of a picture. The functions
here bring such arrays into another form first.
"""

from math import prod

import numpy as np

from core.kernels.arrays import Array, Scratch


def column_sums(rows: Array, scratch: Scratch, out: Array | None = None) -> Array:
    """Σ_i rows[i, j] for each j.

    As a matrix product with a row of ones: BLAS adds up the columns of a narrow matrix three to ten times as fast as
    `np.sum`, and with smaller rounding errors.

    Args:
        rows: (M, C).
        scratch: The memory to work in.
        out: (C,), overwritten; by default a new array.
    """
    ones = scratch("ones", (len(rows),), fill=1)
    total: Array = np.matmul(ones, rows, out=out)
    return total


def by_column(operation: np.ufunc, x: Array, values: Array, scratch: Scratch, out: Array) -> Array:
    """operation(x[…, c], values[c]) for each index c of the last axis, e.g. `np.multiply`.

    The same as broadcasting (C,) against (N, H, W, C), five times as fast with 8 channels: the values are repeated for
    each pixel, so that NumPy's inner loop runs over a whole picture, not over C numbers.

    Args:
        operation: Of two arrays.
        x: (N, …, C).
        values: (C,).
        scratch: The memory to work in.
        out: In the shape of x, C-contiguous, overwritten; may be x itself.

    Returns:
        `out`.
    """
    rows = len(x), prod(x.shape[1:])  # (N, H·W·C)
    operation(x.reshape(rows), repeated(values, x.shape[1:], scratch), out=out.reshape(rows))
    return out


def affine(x: Array, factor: Array, offset: Array, scratch: Scratch) -> Array:
    """y = x[…, c] · factor[c] + offset[c], in `scratch`.

    Args:
        x: (N, …, C).
        factor: (C,).
        offset: (C,).
        scratch: The memory to work in, and that of the result.
    """
    y = scratch("y", x.shape)
    rows = len(x), prod(x.shape[1:])  # (N, H·W·C)
    out = np.multiply(x.reshape(rows), repeated(factor, x.shape[1:], scratch), out=y.reshape(rows))
    out += repeated(offset, x.shape[1:], scratch)
    return y


def repeated(values: Array, shape: tuple[int, ...], scratch: Scratch) -> Array:
    """The values, (C,), once for each pixel of a picture of this shape, (H, W, C): (H·W·C,)."""
    pixels = prod(shape[:-1])
    if pixels == 1:
        return values
    picture = scratch("repeated", (pixels, shape[-1]))
    picture[...] = values
    return picture.reshape(-1)
