"""The convolutional layer."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.convolution import convolve, convolve_backward
from core.kernels.plan import Plan
from core.kernels.window import windows
from core.nn.initializers import initial
from core.nn.layer import Layer, Parameter


class Conv2D(Layer):
    """Every output pixel is the same weighted sum of the pixels around it: one kernel, moved over the picture.

    With X the input inside its padding of zeros, and s, r the strides along rows and columns:

        y[n, h, w, o] = b[o] + Σ_{i, j, c} X[n, h·s + i, w·r + j, c] W[i, j, c, o]

    (the cross-correlation that networks call convolution: Goodfellow, Bengio & Courville 2016, eq. 9.6; LeCun et al.
    1998). A weight acts at every output pixel, and a pixel in several outputs; the chain rule sums over both:

        dW[i, j, c, o] = Σ_{n, h, w} X[n, h·s + i, w·r + j, c] dy[n, h, w, o]
        db[o]          = Σ_{n, h, w} dy[n, h, w, o]
        dX[n, u, v, c] = Σ dy[n, h, w, o] W[i, j, c, o]   over all h, w, i, j, o with h·s + i = u and w·r + j = v

    With the patches of X as the rows of a matrix P, and a last column of ones for the bias, these are the formulas of
    a dense layer: y = P B, dB = Pᵀ dy, dP = dy Bᵀ. `core.kernels.bands` describes P and B,
    `core.kernels.convolution` computes with them.

    Parameters: W (kh, kw, C, O), b (O,).
    """

    kind: ClassVar[str] = "conv2d"

    def __init__(
        self,
        input_shape: Shape,
        *,
        channels: int,
        kernel: int | list[int],
        stride: int | list[int] = 1,
        padding: str = "valid",
        init: str = "he_normal",
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        rows, columns = windows(self.kind, input_shape, kernel, stride, padding)
        if not isinstance(channels, int) or isinstance(channels, bool) or channels < 1:
            raise ArchitectureError(f"conv2d: channels = {channels!r}, expected a whole number of at least 1")
        super().__init__(input_shape, (rows.outputs, columns.outputs, channels), dtype)
        inputs, area = input_shape[2], rows.kernel * columns.kernel
        shape = rows.kernel, columns.kernel, inputs, channels
        fan_in, fan_out = area * inputs, area * channels
        self.W = Parameter(initial(self.kind, init, rng, shape, fan_in=fan_in, fan_out=fan_out, dtype=dtype))
        self.b = Parameter(np.zeros(channels, dtype))
        self.parameters = {"W": self.W, "b": self.b}
        self.plan = Plan.cheapest(rows, columns, inputs, channels)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = P B: the sum of X W over the kernel, plus b."""
        if training:
            self.x = x
        return convolve(self.plan, x, self.W.value, self.b.value, self.scratch, keep=training)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dB = Pᵀ dy and dP = dy Bᵀ: the sums of X dy, dy and dy W in dW, db and dx."""
        W, dW, db = self.W.value, self.W.grad, self.b.grad
        return convolve_backward(self.plan, self.x, W, dy, dW, db, self.scratch, need_dx=need_dx)
