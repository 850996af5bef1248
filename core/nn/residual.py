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


class Residual(Composite):
    """y = f(x) + x, where f is a chain of layers (He et al. 2016, eq. 1).

    The chain rule adds up both paths from x to y: dx = (f's backward pass of dy) + dy. The second term reaches x
    unchanged, however deep f is, and however many blocks follow each other.

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
        f = _chain("layers", layers, input_shape, make, dtype)
        g = _chain("shortcut", shortcut, input_shape, make, dtype)  # without a layer: the identity
        if not f.layers:
            raise ArchitectureError("residual: layers is empty, expected at least one layer")
        if f.output_shape != g.output_shape:
            found = f"residual: layers give {f.output_shape}, the shortcut {g.output_shape}, which cannot be added"
            raise ArchitectureError(f"{found}; expected a shortcut = [ … ] from {input_shape} to {f.output_shape}")
        super().__init__(input_shape, f.output_shape, {"": f, "shortcut": g}, dtype)

    @property
    def body(self) -> Layer:
        """f, the chain of `layers`."""
        return self.parts[""]

    @property
    def shortcut(self) -> Layer:
        """g, the chain of `shortcut`."""
        return self.parts["shortcut"]

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = f(x) + g(x)."""
        f = self.body.forward(x, training=training)
        g = self.shortcut.forward(x, training=training)
        # Neither is overwritten: the last layer of f may need it for its backward pass, and g may be x.
        y: Array = np.add(f, g, out=self.scratch("y", f.shape))
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = (dy back through f) + (dy back through g)."""
        df = self.body.backward(dy, need_dx=need_dx)
        dg = self.shortcut.backward(dy, need_dx=need_dx)
        if df is None or dg is None:
            return None
        dx: Array = np.add(df, dg, out=self.scratch("dx", df.shape))
        return dx


def _chain(option: str, layers: Sequence[Mapping[str, Any]], input_shape: Shape, make: Make, dtype: DTypeLike) -> Chain:
    try:
        return Chain(input_shape, make(input_shape, layers), dtype)
    except ArchitectureError as error:
        raise ArchitectureError(f"residual: {option}: {error}") from error
