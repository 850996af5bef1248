"""From pictures to rows of numbers."""

from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.kernels.arrays import Array, Shape, Step
from core.nn.layer import Layer


class Flatten(Layer):
    """The same numbers in one axis, the last axis fastest: (N, H, W, C) → (N, H·W·C), as `Dense` wants them.

    Nothing is computed, so dx is dy in the input's shape. Both are views: no number is copied.
    """

    kind: ClassVar[str] = "flatten"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        super().__init__(input_shape, (prod(input_shape),), dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:  # noqa: ARG002 — the same in training
        """y = x in one axis."""
        return x.reshape(len(x), *self.output_shape)  # (N, H·W·C)

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """x in one axis: no call at all."""
        return self.forward(x), []

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy in the input's shape."""
        return dy.reshape(len(dy), *self.input_shape) if need_dx else None  # (N, H, W, C)
