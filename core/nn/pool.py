"""Pooling: neighboring pixels summed up in one, so that a picture shrinks and small shifts matter less."""

from functools import partial
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.nn.layer import Array, Layer, Shape, Step
from core.nn.window import Window, windows

_ROWS, _COLUMNS = 1, 2
"""Axes of (N, H, W, C)."""


def tap(x: Array, axis: int, window: Window, j: int) -> Array:
    """What the window's element j sees along an axis: a view of `x`, with one element for each output."""
    seen = window.tap(j)
    return x[:, seen] if axis == _ROWS else x[:, :, seen]


class _Pool(Layer):
    """What pools share: windows that by default do not overlap, and padding that never wins."""

    def __init__(
        self,
        input_shape: Shape,
        *,
        kernel: int | list[int] = 2,
        stride: int | list[int] | None = None,
        padding: str = "valid",
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.rows, self.columns = windows(self.kind, input_shape, kernel, kernel if stride is None else stride, padding)
        super().__init__(input_shape, (self.rows.outputs, self.columns.outputs, input_shape[2]), dtype)

    def _pad(self, x: Array, value: float) -> Array:
        """`x` inside a frame of `value`; `x` itself where no padding is needed."""
        shape = (len(x), self.rows.padded, self.columns.padded, x.shape[3])
        if shape == x.shape:
            return x
        padded = self.scratch("padded", shape)
        padded.fill(value)
        padded[:, self.rows.inside, self.columns.inside] = x
        return padded

    def _crop(self, padded: Array) -> Array:
        """The transpose of `_pad`: the gradient of the padding is dropped."""
        shape = (len(padded), *self.input_shape)
        if shape == padded.shape:
            return padded
        dx = self.scratch("cropped", shape)
        np.copyto(dx, padded[:, self.rows.inside, self.columns.inside])
        return dx


class MaxPool2D(_Pool):
    """The largest pixel of each window, channel by channel (Ranzato et al. 2007; Goodfellow et al. 2016, §9.3).

        y[n, h, w, c] = max over i, j of x[n, h·s + i, w·r + j, c]

    Only the largest pixel moves y, so it takes the whole gradient. Where several are equally large, y has no
    derivative; the first of them, row by row, takes it, as in PyTorch. Padding is −∞: it is never the largest.

    The maximum over a window is the maximum over its rows' maxima, so columns are pooled first and rows after them:
    two passes over long stretches of memory, instead of one that hops. The first of equals stays the same.
    """

    kind: ClassVar[str] = "maxpool2d"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max over each row of the window, then over the rows."""
        x = self._pad(x, -np.inf)
        if not training:
            y, steps = self._rows_first(x)
            for step in steps:
                step()
            return y
        y = self.scratch("y", (len(x), *self.output_shape))
        across = self.scratch("across", (len(x), self.rows.padded, *self.output_shape[1:]))
        for step in (*_maxima(x, across, _COLUMNS, self.columns), *_maxima(across, y, _ROWS, self.rows)):
            step()
        self.x, self.across, self.y = x, across, y  # (N, H, W, C), (N, H, OW, C), (N, OH, OW, C)
        return y

    def _rows_first(self, x: Array) -> tuple[Array, list[Step]]:
        """Where nobody asks which was the first: this leaves fewer of the short stretches, C numbers long."""
        down = self.scratch("down", (len(x), self.rows.outputs, *x.shape[2:]))  # (N, OH, W, C)
        y = self.scratch("y", (len(x), *self.output_shape))  # (N, OH, OW, C)
        return y, [*_maxima(x, down, _ROWS, self.rows), *_maxima(down, y, _COLUMNS, self.columns)]

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """y = max over the rows of the window, then over its columns."""
        padded = self._pad(x, -np.inf)
        if padded is x:
            return self._rows_first(x)
        y, steps = self._rows_first(padded)
        return y, [lambda: self._pad(x, -np.inf), *steps]

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy where x was the first largest of its window, 0 elsewhere; summed where windows overlap."""
        if not need_dx:
            return None
        d_across = self.scratch("d_across", self.across.shape)
        dx = self.scratch("dx", self.x.shape)
        self._to_first(dy, self.y, self.across, d_across, _ROWS, self.rows)
        self._to_first(d_across, self.across, self.x, dx, _COLUMNS, self.columns)
        return self._crop(dx)

    def _to_first(self, dy: Array, y: Array, x: Array, dx: Array, axis: int, window: Window) -> None:
        """Along one axis: each dy goes to the first of its window's x that equals y.

        Element by element of the window, the first that is equal takes all that is left; the last takes the rest.
        """
        apart = window.stride >= window.kernel  # no two windows share an input: each is written once, not added to
        if not apart or window.outputs * window.kernel != window.padded:
            dx.fill(0)
        name = "rows" if axis == _ROWS else "columns"
        equal = self.scratch(f"equal {name}", dy.shape, bool)
        share, left = self.scratch(f"share {name}", dy.shape), dy
        for j in range(window.kernel - 1):
            target = tap(dx, axis, window, j)
            np.equal(tap(x, axis, window, j), y, out=equal)
            if apart:
                share = np.multiply(left, equal, out=target)
            else:
                target += np.multiply(left, equal, out=share)
            last = apart and j == window.kernel - 2
            rest = tap(dx, axis, window, j + 1) if last else self.scratch(f"left {name}", dy.shape)
            left = np.subtract(left, share, out=rest)
        target = tap(dx, axis, window, window.kernel - 1)
        if not apart:
            target += left
        elif left is dy:  # a window of one element
            np.copyto(target, dy)


def _maxima(x: Array, y: Array, axis: int, window: Window) -> list[Step]:
    """y = the largest of each window along one axis."""
    if window.kernel == 1:
        return [partial(np.copyto, y, tap(x, axis, window, 0))]
    first = partial(np.maximum, tap(x, axis, window, 0), tap(x, axis, window, 1), out=y)
    return [first, *(partial(np.maximum, y, tap(x, axis, window, j), out=y) for j in range(2, window.kernel))]


class AvgPool2D(_Pool):
    """The mean of each window, channel by channel: LeNet's subsampling (LeCun et al. 1998), without its weights.

        y[n, h, w, c] = (1 / m) Σ_{i, j} x[n, h·s + i, w·r + j, c]

    Each of the window's m pixels moves y by 1/m, so dx = dy / m at each, summed where windows overlap. Padding does
    not count: at the edge, m is the number of pixels of the picture inside the window.
    """

    kind: ClassVar[str] = "avgpool2d"

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — backward needs nothing kept
        """y = sums over each row of the window, then over the rows, divided by m."""
        x = self._pad(x, 0)
        across = self.scratch("across", (len(x), self.rows.padded, *self.output_shape[1:]))
        y = self.scratch("y", (len(x), *self.output_shape))
        _sums(x, across, _COLUMNS, self.columns)  # (N, H, OW, C)
        _sums(across, y, _ROWS, self.rows)  # (N, OH, OW, C)
        y *= self._weights()
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy / m, at each pixel of the window."""
        if not need_dx:
            return None
        scaled = np.multiply(dy, self._weights(), out=self.scratch("scaled", dy.shape))
        d_across = self.scratch("d_across", (len(dy), self.rows.padded, *self.output_shape[1:]))
        dx = self.scratch("dx", (len(dy), self.rows.padded, self.columns.padded, self.output_shape[2]))
        _spread(scaled, d_across, _ROWS, self.rows)
        _spread(d_across, dx, _COLUMNS, self.columns)
        return self._crop(dx)

    def _weights(self) -> Array:
        """1 / m for every output, (OH, OW, C): with channels, so that NumPy runs over long stretches."""
        weights = self.scratch("weights", self.output_shape)
        counts = np.outer(_inside(self.rows), _inside(self.columns))  # (OH, OW)
        weights[...] = (1 / counts)[..., np.newaxis]
        return weights


def _inside(window: Window) -> Array:
    """How many elements of each window are not padding, (outputs,)."""
    first = np.arange(window.outputs) * window.stride - window.before
    inside: Array = np.minimum(first + window.kernel, window.size) - np.maximum(first, 0)
    return inside


def _sums(x: Array, y: Array, axis: int, window: Window) -> None:
    """y = the sum of each window along one axis."""
    np.copyto(y, tap(x, axis, window, 0))
    for j in range(1, window.kernel):
        y += tap(x, axis, window, j)


def _spread(dy: Array, dx: Array, axis: int, window: Window) -> None:
    """The transpose of `_sums`: each dy to every element of its window."""
    dx.fill(0)
    for j in range(window.kernel):
        target = tap(dx, axis, window, j)
        target += dy


class GlobalAvgPool(Layer):
    """y[n, c] = (1 / HW) Σ_{h, w} x[n, h, w, c]: each channel's mean over the picture (Lin, Chen & Yan 2014, §3.2).

    Every pixel moves it by 1/HW, so dx[n, h, w, c] = dy[n, c] / HW. From (H, W, C) to (C,): a dense layer may follow.
    """

    kind: ClassVar[str] = "globalavgpool"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        if len(input_shape) != 3:
            raise ArchitectureError(f"globalavgpool: input of shape {input_shape}, expected (height, width, channels)")
        super().__init__(input_shape, input_shape[2:], dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — backward needs nothing kept
        """y = mean over height and width."""
        y: Array = np.mean(x, axis=(1, 2), out=self.scratch("y", (len(x), *self.output_shape)))
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy / HW, everywhere."""
        if not need_dx:
            return None
        share = np.divide(dy, prod(self.input_shape[:2]), out=self.scratch("share", dy.shape))
        dx = self.scratch("dx", (len(dy), *self.input_shape))
        dx[...] = share[:, np.newaxis, np.newaxis]
        return dx
