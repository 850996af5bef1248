"""The residual block: layers that learn what to add to their input."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.nn.chain import Chain
from core.nn.composite import Composite
from core.nn.layer import Layer

Make = Callable[[Shape, Sequence[Mapping[str, Any]]], list[Layer]]
"""(shape of one input, a recipe's list of layers) → the layers."""

_BODY, _SHORTCUT = "", "shortcut."


class Residual(Composite):
    """y = f(x) + x, where f is a chain of layers (He et al. 2016, eq. 1).

    The chain rule adds up both ways from x to y: dx = (f's backward pass of dy) + dy. The second term reaches x
    unchanged, however deep f is, and so however many blocks lie one upon the other.

    Where f changes the shape, a shortcut g does so too, y = f(x) + g(x) (eq. 2), and dy goes back through both:

        { kind = "residual", layers = [ … ], shortcut = [ { kind = "dense", units = 64 } ] }

    In the paper a ReLU follows the sum: write it as the next layer.

    Parameters: those of `layers`, e.g. `0.dense.W`, and of the shortcut, e.g. `shortcut.0.dense.W`.
    """

    kind: ClassVar[str] = "residual"

    def __init__(
        self,
        input_shape: Shape,
        *,
        layers: Sequence[Mapping[str, Any]],
        shortcut: Sequence[Mapping[str, Any]] = (),
        make: Make,
        dtype: DTypeLike = np.float32,
    ) -> None:
        body = _chain("layers", layers, input_shape, make)
        aside = _chain("shortcut", shortcut, input_shape, make)  # without a layer: the identity
        if not body.layers:
            raise ArchitectureError("residual: layers is empty, expected at least one layer")
        output_shape = body.layers[-1].output_shape
        reached = aside.layers[-1].output_shape if aside.layers else input_shape
        if reached != output_shape:
            found = f"residual: layers give {output_shape}, the shortcut {reached}, which cannot be added"
            raise ArchitectureError(f"{found}; expected a shortcut = [ … ] from {input_shape} to {output_shape}")
        super().__init__(input_shape, output_shape, {_BODY: body, _SHORTCUT: aside}, dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = f(x) + g(x)."""
        f = self.ways[_BODY].forward(x, training=training)
        g = self.ways[_SHORTCUT].forward(x, training=training)
        # Into an array of its own: f may be what f's last layer needs for its backward pass, and g may be x.
        y: Array = np.add(f, g, out=self.scratch("y", f.shape))
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = (dy back through f) + (dy back through g)."""
        df = self.ways[_BODY].backward(dy, need_dx=need_dx)
        dg = self.ways[_SHORTCUT].backward(dy, need_dx=need_dx)
        if df is None or dg is None:
            return None
        dx: Array = np.add(df, dg, out=self.scratch("dx", df.shape))
        return dx


def _chain(option: str, layers: Sequence[Mapping[str, Any]], input_shape: Shape, make: Make) -> Chain:
    try:
        return Chain(make(input_shape, layers))
    except ArchitectureError as error:
        raise ArchitectureError(f"residual: {option}: {error}") from error
