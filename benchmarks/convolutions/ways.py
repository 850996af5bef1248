"""Ways to compute the forward pass of a 3×3 convolution with stride 1 and no padding, in plain NumPy.

Legend: x (n, H, W, C) a few pictures; W (3, 3, C, O); y (n, OH, OW, O). Each way is made for one shape of x, keeps its
memory, and computes everything that depends on the weights again at every call, as a training step does.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from core.kernels.arrays import Array, Shape

__all__ = ["F2", "F4", "RowProducts", "Transform", "Way", "Winograd", "WinogradRows"]

KERNEL = 3

Matrix = Sequence[Sequence[float]]


class Way(Protocol):
    """One way, for pictures of one shape."""

    def __call__(self, x: Array, W: Array, y: Array) -> None:
        """Compute y."""


class RowProducts:
    """Copy along the width only: three products, one for each row of the kernel.

    A copied row holds the three pixels under each output of its row, (OW, 3·C), and serves three rows of outputs. With
    the rows of all pictures outermost, each product reads one stretch of memory.
    """

    def __init__(self, shape: Shape, outputs: int, dtype: DTypeLike) -> None:
        n, h, w, c = shape
        self._rows = np.empty((h, n, w - KERNEL + 1, KERNEL, c), dtype)
        self._sum = np.empty((h - KERNEL + 1, n, w - KERNEL + 1, outputs), dtype)
        self._share = np.empty_like(self._sum)

    def __call__(self, x: Array, W: Array, y: Array) -> None:
        n, h, w, c = x.strides
        np.copyto(self._rows, as_strided(x, self._rows.shape, (h, n, w, w, c)))
        outputs = self._sum.shape[-1]
        for i in range(KERNEL):
            rows = self._rows[i : i + len(self._sum)].reshape(-1, KERNEL * x.shape[-1])
            target = self._share if i else self._sum
            np.matmul(rows, W[i].reshape(-1, outputs), out=target.reshape(-1, outputs))
            if i:
                self._sum += self._share
        np.copyto(y, self._sum.swapaxes(0, 1))


class Transform:
    """One of Winograd's: `tile` outputs of a convolution with three weights from `tile` + 2 products.

    y = A [(G g) ⊙ (B d)], for the weights g and the `tile` + 2 inputs d (Winograd 1980; Lavin & Gray 2016,
    arXiv:1509.09308, whose matrices these are).
    """

    def __init__(
        self, B: Sequence[Sequence[float]], G: Sequence[Sequence[float]], A: Sequence[Sequence[float]]
    ) -> None:
        self.B, self.G, self.A = B, np.array(G), A
        self.tile, self.products = len(A), len(B)


F2 = Transform(
    B=[(1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)],
    G=[(1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)],
    A=[(1, 1, 1, 0), (0, 1, -1, -1)],
)
"""Two outputs from four products instead of six."""

F4 = Transform(
    B=[
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ],
    G=[
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    ],
    A=[(1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)],
)
"""Four outputs from six products instead of twelve."""


class WinogradRows:
    """Winograd's transform along the width; along the height, three rows side by side, as in a patch."""

    def __init__(self, shape: Shape, outputs: int, dtype: DTypeLike, transform: Transform) -> None:
        n, h, w, c = shape
        self._f, tall, tiles = transform, h - KERNEL + 1, (w - KERNEL + 1) // transform.tile
        self._moved = np.empty((transform.products, n, h, tiles, c), dtype)
        self._stacked = np.empty((transform.products, n, tall, tiles, KERNEL, c), dtype)
        self._products = np.empty((transform.products, n, tall, tiles, outputs), dtype)
        self._more = _Terms(dtype)

    def __call__(self, x: Array, W: Array, y: Array) -> None:
        f, (c, outputs) = self._f, W.shape[2:]
        tile, tiles = f.tile, self._moved.shape[3]
        weights = np.einsum("tj,ijco->tico", f.G.astype(W.dtype), W).reshape(f.products, KERNEL * c, outputs)
        reach = tile * (tiles - 1) + 1
        self._more.combine(f.B, [x[:, :, j : j + reach : tile] for j in range(f.products)], self._moved)
        tall = self._stacked.shape[2]
        for i in range(KERNEL):
            self._stacked[..., i, :] = self._moved[:, :, i : i + tall]
        rows = self._stacked.reshape(f.products, -1, KERNEL * c)
        np.matmul(rows, weights, out=self._products.reshape(f.products, -1, outputs))
        self._more.combine(f.A, self._products, [y[:, :, j::tile] for j in range(tile)])


class Winograd:
    """Winograd's transform in both directions: 16 products of (tiles, C) by (C, O) for F2."""

    def __init__(self, shape: Shape, outputs: int, dtype: DTypeLike, transform: Transform) -> None:
        n, h, w, c = shape
        self._f, p, tile = transform, transform.products, transform.tile
        down, across = (h - KERNEL + 1) // tile, (w - KERNEL + 1) // tile
        self._half = np.empty((p, n, down, w, c), dtype)
        self._moved = np.empty((p, p, n, down, across, c), dtype)
        self._products = np.empty((p, p, n, down, across, outputs), dtype)
        self._summed = np.empty((tile, p, n, down, across, outputs), dtype)
        self._more = _Terms(dtype)

    def __call__(self, x: Array, W: Array, y: Array) -> None:
        f, (c, outputs) = self._f, W.shape[2:]
        tile, p, (down, across) = f.tile, f.products, self._moved.shape[3:5]
        G = f.G.astype(W.dtype)
        weights = np.einsum("si,tj,ijco->stco", G, G, W, optimize=True)
        below, beside = tile * (down - 1) + 1, tile * (across - 1) + 1
        self._more.combine(f.B, [x[:, i : i + below : tile] for i in range(p)], self._half)
        columns = [self._half[:, :, :, j : j + beside : tile] for j in range(p)]
        self._more.combine(f.B, columns, self._moved.swapaxes(0, 1))
        np.matmul(self._moved.reshape(p, p, -1, c), weights, out=self._products.reshape(p, p, -1, outputs))
        self._more.combine(f.A, self._products, self._summed)
        for i in range(tile):
            self._more.combine(f.A, self._summed[i], [y[:, i::tile, j::tile] for j in range(tile)])


class _Terms:
    """Sums of few arrays with small coefficients, most of which are 1 or −1."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype, self._kept = dtype, np.empty(0, dtype)

    def combine(self, matrix: Matrix, inputs: Iterable[Array], outputs: Iterable[Array]) -> None:
        """outputs[s] = Σ_j matrix[s][j] · inputs[j]."""
        inputs = [*inputs]
        for row, output in zip(matrix, outputs, strict=True):
            # Beginning with a coefficient of 1, if there is one, saves a product.
            terms = sorted(((a, each) for a, each in zip(row, inputs, strict=True) if a), key=lambda term: term[0] != 1)
            (first, start), *others = terms
            if first != 1 or not others:
                np.multiply(start, first, out=output)
            else:
                (second, other), *others = others
                self._add(start, second, other, output)
            for coefficient, each in others:
                self._add(output, coefficient, each, output)

    def _add(self, one: Array, coefficient: float, other: Array, out: Array) -> None:
        if abs(coefficient) == 1:
            (np.add if coefficient > 0 else np.subtract)(one, other, out=out)
            return
        if self._kept.size < out.size:
            self._kept = np.empty(out.size, self._dtype)
        product = self._kept[: out.size].reshape(out.shape)
        np.multiply(other, coefficient, out=product)
        np.add(one, product, out=out)
