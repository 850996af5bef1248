"""Pooling: neighboring pixels become one, so that a picture shrinks and small shifts matter less."""

from functools import cached_property
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.pooling import crop, max_pool, max_pool_backward, pad, window_sums, window_sums_backward
from core.kernels.window import windows
from core.nn.layer import Layer


class _Pool(Layer):
    """What pools share: windows that by default do not overlap."""

    def __init__(
        self,
        input_shape: Shape,
        *,
        kernel: int | list[int] = 2,
        stride: int | list[int] | None = None,
        padding: str = "valid",
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.windows = windows(self.kind, input_shape, kernel, kernel if stride is None else stride, padding)
        rows, columns = self.windows
        super().__init__(input_shape, (rows.outputs, columns.outputs, input_shape[2]), dtype)


class MaxPool2D(_Pool):
    """The largest pixel of each window, channel by channel (Ranzato et al. 2007; Goodfellow et al. 2016, §9.3).

    With X the input inside its padding of −∞, which is never the largest, and s, r the strides along rows and columns:

        y[n, h, w, c] = max over i, j of X[n, h·s + i, w·r + j, c]

    Only the largest pixel moves y, so it takes the whole gradient. Where several are equally large, y has no
    derivative; the first of them, row by row, takes it, as in PyTorch.
    """

    kind: ClassVar[str] = "maxpool2d"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max X over each window."""
        X = pad(x, *self.windows, -np.inf, self.scratch)
        y = max_pool(X, *self.windows, self.scratch)
        if training:
            self.X, self.y = X, y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dX = dy where X was the first largest of its window, 0 elsewhere; summed where windows overlap."""
        if not need_dx:
            return None
        dX = max_pool_backward(self.X, self.y, dy, *self.windows, self.scratch)
        return crop(dX, *self.windows, self.scratch)


class AvgPool2D(_Pool):
    """The mean of each window, channel by channel: LeNet's subsampling (LeCun et al. 1998), without its weights.

    With X the input inside its padding of zeros, and s, r the strides along rows and columns:

        y[n, h, w, c] = (1 / m) Σ_{i, j} X[n, h·s + i, w·r + j, c]

    Each of the window's m pixels moves y by 1/m, so dx = dy / m at each, summed where windows overlap. Padding does
    not count: at the edge, m is the number of pixels of the picture inside the window.
    """

    kind: ClassVar[str] = "avgpool2d"

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — the same in training
        """y = (1 / m) Σ X over each window."""
        X = pad(x, *self.windows, 0, self.scratch)
        y = window_sums(X, *self.windows, self.scratch)
        y *= self.share
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dX = dy / m at each pixel of the window, summed where windows overlap."""
        if not need_dx:
            return None
        share = np.multiply(dy, self.share, out=self.scratch("share", dy.shape))
        dX = window_sums_backward(share, *self.windows, self.scratch)
        return crop(dX, *self.windows, self.scratch)

    @cached_property
    def share(self) -> Array:
        """1 / m for every output, (OH, OW, C)."""
        rows, columns = self.windows
        share: Array = np.empty(self.output_shape, self.dtype)
        share[...] = (1 / np.outer(rows.counts, columns.counts))[..., np.newaxis]
        return share


class GlobalAvgPool(Layer):
    """y[n, c] = (1 / HW) Σ_{h, w} x[n, h, w, c]: each channel's mean over the picture (Lin, Chen & Yan 2014, §3.2).

    Every pixel moves it by 1/HW, so dx[n, h, w, c] = dy[n, c] / HW. From (H, W, C) to (C,): a dense layer may follow.
    """

    kind: ClassVar[str] = "globalavgpool"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        if len(input_shape) != 3:
            raise ArchitectureError(f"globalavgpool: input of shape {input_shape}, expected (height, width, channels)")
        super().__init__(input_shape, input_shape[2:], dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — the same in training
        """y = mean over height and width."""
        y: Array = np.mean(x, axis=(1, 2), out=self.scratch("y", (len(x), *self.output_shape)))
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy / HW, everywhere."""
        if not need_dx:
            return None
        share = np.divide(dy, prod(self.input_shape[:2]), out=self.scratch("share", dy.shape))
        dx = self.scratch("dx", (len(dy), *self.input_shape))
        dx[...] = share[:, np.newaxis, np.newaxis]  # (N, 1, 1, C)
        return dx
