"""Matrix products, whole or in slices.

NumPy leaves products to a BLAS, mostly OpenBLAS, which first copies ("packs") both matrices into the order in which its
kernels read them. For processors with AVX-512 it has other kernels, which read matrices as they lie; it takes them
where m·k·n ≤ 10⁶ (pull request 3335 of OpenBLAS). So there, a product of many rows is faster in slices of as many rows
as still go that way: from a tenth to a third for the sizes of these networks. Each number is the same sum as before;
other kernels may add it up in another order.

Elsewhere slices are slower; and on several threads, too, among which OpenBLAS divides large products alone. Whoever
knows which BLAS there is (`core.kernels.blas`) says so through `slicing`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import numpy as np

from core.kernels.arrays import Array, Step

_LARGEST = 10**6
"""m·k·n of a product that those kernels take."""

_UNROLLED = 8
"""Rows that they compute together; a slice of a multiple of as many wastes nothing."""

_slicing: ContextVar[bool] = ContextVar("slicing", default=False)


@contextmanager
def slicing(on: bool) -> Iterator[None]:
    """Whether products are computed in slices meanwhile, in this thread."""
    token = _slicing.set(on)
    try:
        yield
    finally:
        _slicing.reset(token)


def product(a: Array, b: Array, out: Array) -> Array:
    """out = a b.

    Args:
        a: (m, k), of any strides.
        b: (k, n).
        out: (m, n), overwritten.
    """
    for x, y in _slices(a, b, out):
        np.matmul(x, b, out=y)
    return out


def product_steps(a: Array, b: Array, out: Array) -> list[Step]:
    """The calls that make out = a b, for a product that is computed again and again: see `core.inference.compiled`."""
    return [partial(np.matmul, x, b, out=y) for x, y in _slices(a, b, out)]


def _slices(a: Array, b: Array, out: Array) -> list[tuple[Array, Array]]:
    """Parts of a, each with its part of the result. One of them is a stack of slices, for a single call of NumPy's."""
    (m, k), n = a.shape, b.shape[1]
    rows = _rows(m, k, n) if _slicing.get() and a.dtype == np.float32 else 0
    if not rows:
        return [(a, out)]
    stacked = m // rows * rows
    stack = a[:stacked].reshape(-1, rows, k), out[:stacked].reshape(-1, rows, n)
    return [stack, (a[stacked:], out[stacked:])] if stacked < m else [stack]


def _rows(m: int, k: int, n: int) -> int:
    """Rows of a slice; 0 where the whole is better."""
    most = _LARGEST // max(1, k * n)
    if m <= most or most < _UNROLLED // 2:
        return 0
    even = -(-m // -(-m // most))  # as few slices as possible, about equally large
    even += -even % _UNROLLED
    return even if even <= most else max(_UNROLLED // 2, most // _UNROLLED * _UNROLLED)
