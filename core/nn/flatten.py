"""From pictures to rows of numbers."""

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.kernels.arrays import Array, Shape
from core.nn.layer import Layer


class Flatten(Layer):
    """The same numbers along one axis, the last axis fastest: (N, H, W, C) → (N, H·W·C), as `Dense` expects them.

    Nothing is computed, so dx is dy in the input's shape. Both are views: no number is copied.
    """

    kind: ClassVar[str] = "flatten"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        super().__init__(input_shape, (prod(input_shape),), dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — the same in training
        """y = x along one axis."""
        return x.reshape(len(x), *self.output_shape)  # (N, H·W·C)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy in the input's shape."""
        return dy.reshape(len(dy), *self.input_shape) if need_dx else None  # (N, H, W, C)
