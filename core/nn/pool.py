"""Pooling: neighboring pixels summed up in one, so that a picture shrinks and small shifts matter less."""

from collections.abc import Sequence
from functools import cached_property, partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape, Step
from core.kernels.window import Window, windows
from core.nn.layer import Layer

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

    The maximum over a window is the maximum over its columns' maxima, so rows are pooled first and columns after them:
    whole rows of pixels against each other, and only what is left in stretches of C numbers.
    """

    kind: ClassVar[str] = "maxpool2d"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max over the rows of the window, then over its columns."""
        x = self._pad(x, -np.inf)
        y, steps = self._maximum(x)
        for step in steps:
            step()
        if training:
            self.x, self.y = x, y  # x with its padding
        return y

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """y = max over the rows of the window, then over its columns."""
        padded = self._pad(x, -np.inf)
        y, steps = self._maximum(padded)
        return y, steps if padded is x else [lambda: self._pad(x, -np.inf), *steps]

    def _maximum(self, x: Array) -> tuple[Array, list[Step]]:
        """Where y will be, and the calls that bring it there."""
        down = self.scratch("down", (len(x), self.rows.outputs, *x.shape[2:]))  # (N, OH, W, C)
        y = self.scratch("y", (len(x), *self.output_shape))  # (N, OH, OW, C)
        steps = _maxima([tap(x, _ROWS, self.rows, i) for i in range(self.rows.kernel)], down)
        columns = range(self.columns.kernel)
        if len(x) == 1:
            return y, steps + _maxima([tap(down, _COLUMNS, self.columns, j) for j in columns], y)
        # NumPy copies stretches of C numbers three times as fast as it compares them: each column is brought together.
        together = [self.scratch(f"column {j}", y.shape) for j in columns]
        for j in columns:
            steps.append(partial(np.take, down, self._seen[j], axis=_COLUMNS, out=together[j], mode="clip"))
        return y, steps + _maxima(together, y)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy where x was the first largest of its window, 0 elsewhere; summed where windows overlap."""
        if not need_dx:
            return None
        dx = self.scratch("dx", self.x.shape)
        side_by_side = self.rows.stride == self.rows.kernel and self.columns.stride == self.columns.kernel
        if not side_by_side or self.rows.left_over or self.columns.left_over:
            dx.fill(0)
        if side_by_side:
            self._by_rows(dy, dx)
        else:
            self._by_pixels(dy, dx)
        return self._crop(dx)

    def _by_pixels(self, dy: Array, dx: Array) -> None:
        """Pixel by pixel of the window, row by row: who is as large as y takes dy, unless one before has it."""
        first, free = (self.scratch(name, dy.shape, bool) for name in ("first", "free"))
        share = self.scratch("share", dy.shape)
        free.fill(True)
        for i in range(self.rows.kernel):
            for j in range(self.columns.kernel):
                x, target = (tap(tap(a, _ROWS, self.rows, i), _COLUMNS, self.columns, j) for a in (self.x, dx))
                np.equal(x, self.y, out=first)
                first &= free
                free ^= first
                target += np.multiply(dy, first, out=share)

    def _by_rows(self, dy: Array, dx: Array) -> None:
        """The same where windows lie side by side, so that each pixel is in one of them: a row of pixels at a time.

        y and dy are written under each pixel of their window. Then all that deals with numbers runs over long stretches
        of memory; only who is first is found pixel by pixel, with the flags of up to 8 channels in one machine word.
        """
        under = self._window_of_column
        shape = (len(dy), self.rows.outputs, len(under), self.output_shape[2])
        largest, share = (
            np.take(a, under, axis=_COLUMNS, out=self.scratch(f"{name} by rows", shape), mode="clip")
            for name, a in (("y", self.y), ("dy", dy))
        )
        first = self.scratch("first by rows", shape, bool)
        words = first.view(self._word)
        free = self.scratch("free by rows", (*dy.shape[:3], words.shape[3]), self._word)
        free.view(np.uint8).fill(1)
        for i in range(self.rows.kernel):
            x, target = (tap(a, _ROWS, self.rows, i)[:, :, : len(under)] for a in (self.x, dx))
            np.equal(x, largest, out=first)
            for j in range(self.columns.kernel):
                for word in range(words.shape[3]):  # one by one: NumPy would loop over the few words of each pixel
                    own, rest = words[:, :, j :: self.columns.kernel, word], free[..., word]
                    np.bitwise_and(own, rest, out=own)
                    np.bitwise_xor(rest, own, out=rest)
            np.multiply(share, first, out=target)

    @cached_property
    def _seen(self) -> list[NDArray[np.intp]]:
        """Which columns of x each column of the window sees."""
        every = np.arange(self.columns.padded)
        return [every[self.columns.tap(j)] for j in range(self.columns.kernel)]

    @cached_property
    def _window_of_column(self) -> NDArray[np.intp]:
        """Which window each column of x belongs to, where they lie side by side."""
        return np.arange(self.columns.outputs).repeat(self.columns.kernel)

    @cached_property
    def _word(self) -> np.dtype[np.unsignedinteger[Any]]:
        """The widest whole number whose bytes divide the flags of a pixel's channels, of one byte each."""
        channels = self.output_shape[2]
        return np.dtype(f"u{next(size for size in (8, 4, 2, 1) if channels % size == 0)}")


def _maxima(arrays: Sequence[Array], y: Array) -> list[Step]:
    """y = the largest number of all arrays in each place."""
    if len(arrays) == 1:
        return [partial(np.copyto, y, arrays[0])]
    first = partial(np.maximum, arrays[0], arrays[1], out=y)
    return [first, *(partial(np.maximum, y, array, out=y) for array in arrays[2:])]


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
