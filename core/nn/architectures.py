"""From a recipe's list of layers to a network. To add a layer, write its class and name it in `LAYERS`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError, ConfigError
from core.kernels.arrays import Shape
from core.nn.activation import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from core.nn.conv import Conv2D
from core.nn.dense import Dense
from core.nn.dropout import Dropout
from core.nn.ensemble import Ensemble
from core.nn.flatten import Flatten
from core.nn.layer import Layer
from core.nn.norm import BatchNorm
from core.nn.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from core.nn.residual import Residual
from core.nn.sequential import Sequential
from core.registry import construct

LAYERS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        *(Dense, Conv2D),
        *(ReLU, LeakyReLU, Sigmoid, Tanh, GELU, SiLU, Softmax),
        *(MaxPool2D, AvgPool2D, GlobalAvgPool),
        *(BatchNorm, Dropout, Flatten, Residual, Ensemble),
    )
}


def build(
    input_shape: Sequence[int],
    layers: Sequence[Mapping[str, Any]],
    *,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Build a network; each layer's input shape is the output shape of the one before.

    Args:
        input_shape: Shape of one input, e.g. `(784,)`.
        layers: One mapping a layer: its `kind` and its options, e.g. `{"kind": "dense", "units": 128}`.
        rng: Source of the initial weights.
        dtype: float32 to train and serve; float64 to check gradients.

    Raises:
        ArchitectureError: An unknown kind or option, an impossible value, or shapes that do not fit.
    """
    shape: Shape = tuple(input_shape)
    if any(not isinstance(size, int) or size < 1 for size in shape):
        raise ArchitectureError(f"input shape {shape}, expected whole numbers of at least 1")
    try:
        return Sequential(_row(shape, layers, rng, dtype))
    except RecursionError as error:
        raise ArchitectureError("the layers are nested too deeply, expected a few blocks within blocks") from error


def _row(shape: Shape, layers: Sequence[Mapping[str, Any]], rng: np.random.Generator, dtype: DTypeLike) -> list[Layer]:
    """The layers of a list, the first of which takes the given shape; composite layers call this for their parts."""
    row: list[Layer] = []
    for index, entry in enumerate(layers):
        try:
            layer = construct(
                LAYERS, entry, input_shape=shape, rng=rng, dtype=dtype, make=lambda s, inner: _row(s, inner, rng, dtype)
            )
        except (ConfigError, TypeError, ValueError, MemoryError) as error:  # a manifest may contain anything
            raise ArchitectureError(f"layer {index}: {error}") from error
        row.append(layer)
        shape = layer.output_shape
    return row
