"""From a recipe's list of layers to a network. To add a layer, write its class and name it in `LAYERS`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError, ConfigError
from core.nn.activation import ReLU
from core.nn.dense import Dense
from core.nn.layer import Layer, Shape
from core.nn.sequential import Sequential
from core.registry import construct

LAYERS: dict[str, type[Layer]] = {layer.kind: layer for layer in (Dense, ReLU)}


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
    built: list[Layer] = []
    for index, entry in enumerate(layers):
        try:
            layer = construct(LAYERS, entry, input_shape=shape, rng=rng, dtype=dtype)
        except (ConfigError, TypeError, ValueError, MemoryError) as error:  # a manifest may hold any nonsense
            raise ArchitectureError(f"layer {index}: {error}") from error
        built.append(layer)
        shape = layer.output_shape
    return Sequential(built)
