"""Activations: the nonlinearity between two linear layers, without which they would be one."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.nn.layer import Array, Layer, Shape


class ReLU(Layer):
    """y = max(x, 0), element by element (Nair & Hinton 2010).

    The slope is 1 where x > 0 and 0 elsewhere, so dx = dy · [x > 0]. At x = 0, where there is no derivative, 0 is
    taken. Where a unit is active, the gradient passes unchanged: this is what keeps it from vanishing with depth.
    """

    kind: ClassVar[str] = "relu"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        super().__init__(input_shape, input_shape, dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max(x, 0)."""
        y: Array = np.maximum(x, 0, out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · [y > 0]; y > 0 exactly where x > 0."""
        if not need_dx:
            return None
        active = np.greater(self.y, 0, out=self.scratch("active", dy.shape, bool))
        dx: Array = np.multiply(dy, active, out=self.scratch("dx", dy.shape))
        return dx
