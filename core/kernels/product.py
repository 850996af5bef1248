"""Matrix products, whole or in slices.

NumPy leaves products to a BLAS, usually OpenBLAS, which first copies ("packs") both matrices into the order in which
its kernels read them. For processors with AVX-512 it also has kernels that read matrices where they are; it uses them
if m·k·n ≤ 10⁶ (pull request 3335 of OpenBLAS). So there, a product of many rows is faster in slices that are just small
enough: by a tenth to a third for the sizes of these networks. Each number of the result is the same sum; other kernels
may add it up in another order.

On other processors slices are slower. So they are with several threads, because OpenBLAS divides only large products
among them. `core.kernels.blas` knows which BLAS is in use, and switches slices on or off through `slicing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import numpy as np

from core.kernels.arrays import Array, Step

_LARGEST = 10**6
"""The largest m·k·n for which those kernels are used."""

_UNROLLED = 8
"""The number of rows that they compute together, so that a slice of a multiple of it wastes nothing."""

_slicing: ContextVar[bool] = ContextVar("slicing", default=False)


@contextmanager
def slicing(on: bool) -> Iterator[None]:
    """Within the block, compute the products of this thread in slices, or not."""
    token = _slicing.set(on)
    try:
        yield
    finally:
        _slicing.reset(token)


def product(a: Array, b: Array, out: Array) -> Array:
    """out = a b.

    Args:
        a: (m, k), with any strides.
        b: (k, n).
        out: (m, n), overwritten.
    """
    for x, y in _slices(a, b, out):
        np.matmul(x, b, out=y)
    return out


def product_steps(a: Array, b: Array, out: Array) -> list[Step]:
    """The calls that compute out = a b, for a product that is computed again and again."""
    return [partial(np.matmul, x, b, out=y) for x, y in _slices(a, b, out)]


def _slices(a: Array, b: Array, out: Array) -> list[tuple[Array, Array]]:
    """Parts of a, each with its part of the result. All slices together are one stack, for a single call to NumPy."""
    (m, k), n = a.shape, b.shape[1]
    rows = _rows(m, k, n) if _slicing.get() and a.dtype == np.float32 else 0
    if not rows:
        return [(a, out)]
    stacked = m // rows * rows
    stack = a[:stacked].reshape(-1, rows, k), out[:stacked].reshape(-1, rows, n)
    return [stack, (a[stacked:], out[stacked:])] if stacked < m else [stack]


def _rows(m: int, k: int, n: int) -> int:
    """The number of rows in a slice; 0 if the whole product is faster."""
    most = _LARGEST // max(1, k * n)
    if m <= most or most < _UNROLLED // 2:
        return 0
    even = -(-m // -(-m // most))  # as few slices as possible, about equally large
    even += -even % _UNROLLED
    return even if even <= most else max(_UNROLLED // 2, most // _UNROLLED * _UNROLLED)
