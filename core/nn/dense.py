"""The fully connected layer."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.product import product
from core.kernels.sums import column_sums
from core.nn.initializers import initial
from core.nn.layer import Layer, Parameter


class Dense(Layer):
    """y = x W + b: every output is a weighted sum of every input.

    With L the loss, and y[n, j] = Σ_i x[n, i] W[i, j] + b[j], the chain rule gives

        dW[i, j] = Σ_n x[n, i] dy[n, j]      that is  dW = xᵀ dy
        db[j]    = Σ_n dy[n, j]                       db = sum of dy over the batch
        dx[n, i] = Σ_j dy[n, j] W[i, j]               dx = dy Wᵀ

    (Goodfellow, Bengio & Courville 2016, algorithm 6.4.)

    Parameters: W (inputs, units), b (units,).
    """

    kind: ClassVar[str] = "dense"

    def __init__(
        self,
        input_shape: Shape,
        *,
        units: int,
        init: str = "he_normal",
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if len(input_shape) != 1:
            raise ArchitectureError(f"dense: input of shape {input_shape}, expected one axis; put a flatten before it")
        if units < 1:
            raise ArchitectureError(f"dense: units = {units}, expected at least 1")
        super().__init__(input_shape, (units,), dtype)
        inputs = input_shape[0]
        self.W = Parameter(initial(self.kind, init, rng, (inputs, units), fan_in=inputs, fan_out=units, dtype=dtype))
        self.b = Parameter(np.zeros(units, dtype))
        self.parameters = {"W": self.W, "b": self.b}

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = x W + b."""
        y = self.scratch("y", (len(x), *self.output_shape))
        product(x, self.W.value, y)
        y += self.b.value
        if training:
            self.x = x
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dW = xᵀ dy, db = Σ dy, dx = dy Wᵀ."""
        product(self.x.T, dy, self.W.grad)
        column_sums(dy, self.scratch, out=self.b.grad)
        if not need_dx:
            return None
        dx = self.scratch("dx", self.x.shape)
        return np.matmul(dy, self.W.value.T, out=dx)
