"""Layers in a row: the walk forward and, by the chain rule, the same walk back."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike

from core.kernels.arrays import Array, Shape
from core.nn.composite import Composite, dotted
from core.nn.layer import Layer


class Chain(Composite):
    """Layers applied one after the other: y = f_k(… f_2(f_1(x))). Without a layer it is the identity, y = x.

    By the chain rule, the backward pass is the same walk from the last layer to the first.

    The parts are named by position and kind, so a parameter's full name is its path: `0.dense.W`, or
    `3.residual.0.dense.W` within a block. A chain itself has no name in recipes: it is made from a list of layers.

    A ReLU before a max pooling is computed after it, on a quarter of the numbers: as it never falls, the largest of
    some ReLUs is the ReLU of the largest, and so the outputs are the same. So are the gradients: where the largest is
    above 0, both orders hand dy to the same pixel, and elsewhere to none. Layers keep their places and names.

    Attributes:
        order: The layers in the order in which they are computed.
    """

    kind: ClassVar[str] = "chain"

    def __init__(self, input_shape: Shape, layers: Sequence[Layer], dtype: DTypeLike = np.float32) -> None:
        output_shape = layers[-1].output_shape if layers else input_shape
        parts = {f"{index}.{layer.kind}": layer for index, layer in enumerate(layers)}
        super().__init__(input_shape, output_shape, parts, dtype)
        self.order = _pooled_first(self.layers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order in which they are written."""
        return tuple(self.parts.values())

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = f_k(… f_2(f_1(x))): for a classifier, the logits."""
        for layer in self.order:
            x = layer.forward(x, training=training)
        return x

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """From dy, each layer computes the gradient for the layer before it; the first one's is dx."""
        d: Array | None = dy
        for index in range(len(self.order) - 1, -1, -1):
            assert d is not None  # noqa: S101 — only the first layer may return None
            d = self.order[index].backward(d, need_dx=need_dx or index > 0)
        return d

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """Every layer by its full name, e.g. `0.dense`, each followed by the layers that it is made of."""
        for part, layer in self.parts.items():
            yield part, layer
            for name, inner in layer.named_layers():
                yield dotted(part, name), inner

    def as_written(self) -> None:
        """From now on, compute all layers in the order in which they are written, e.g. to look at each one's output."""
        super().as_written()
        self.order = self.layers

    def replica(self) -> Self:
        """A chain of replicas, computed in the same order."""
        replica = super().replica()
        replica_of = dict(zip(self.layers, replica.layers, strict=True))
        replica.order = tuple(replica_of[layer] for layer in self.order)
        return replica


def _pooled_first(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers, with each ReLU that directly precedes a max pooling moved behind it."""
    order = list(layers)
    for index, (layer, after) in enumerate(pairwise(layers)):
        if (layer.kind, after.kind) == ("relu", "maxpool2d"):
            order[index : index + 2] = after, layer
    return tuple(order)
