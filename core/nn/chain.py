"""Layers in a row: the walk forward and, by the chain rule, the same walk back."""

from collections.abc import Iterator, Sequence
from copy import copy
from itertools import pairwise
from typing import Self

import numpy as np

from core.kernels.arrays import Array, Step
from core.nn.layer import Layer, Parameter


class Chain:
    """Layers applied one after the other: y = f_k(… f_2(f_1(x))). Without a layer it is the identity, y = x.

    By the chain rule, the backward pass is the same walk from the last layer to the first.

    A ReLU before a max pooling is computed after it, on a quarter of the numbers: as it never falls, the largest of
    some ReLUs is the ReLU of the largest, and so the outputs are the same. So are the gradients: where the largest is
    above 0, both orders hand dy to the same pixel, and elsewhere to none. Layers keep their places and names.

    Attributes:
        layers: In the order in which they are written.
        order: In the order in which they are computed.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self.order = _pooled_first(self.layers)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter under its full name: position, kind, name, e.g. `0.dense.W`.

        A layer that is made of layers has dotted names of its own, so a full name is as long as the way to it:
        `3.residual.0.dense.W`.
        """
        for index, layer in enumerate(self.layers):
            for name, parameter in layer.parameters.items():
                yield f"{index}.{layer.kind}.{name}", parameter

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Every buffer under its full name."""
        for index, layer in enumerate(self.layers):
            for name, buffer in layer.buffers.items():
                yield f"{index}.{layer.kind}.{name}", buffer

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Every source of random numbers under its full name."""
        for index, layer in enumerate(self.layers):
            for name, generator in layer.generators.items():
                yield f"{index}.{layer.kind}.{name}", generator

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """Every layer under its full name, e.g. `0.dense`, and after it those that it is made of."""
        for index, layer in enumerate(self.layers):
            own = f"{index}.{layer.kind}"
            yield own, layer
            for name, inner in layer.named_layers():
                yield f"{own}.{name}", inner

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """The last layer's output for a batch: a classifier's logits.

        Args:
            x: (N, *input_shape).
            training: Whether a backward pass will follow.

        Returns:
            (N, *output_shape), valid until the next call.
        """
        for layer in self.order:
            x = layer.forward(x, training=training)
        return x

    def backward(self, dy: Array, *, need_dx: bool = False) -> Array | None:
        """Fill the gradient of every parameter.

        Args:
            dy: (N, *output_shape), the gradient of the loss for what `forward` returned last.
            need_dx: Whether the gradient of the input itself is wanted too.

        Returns:
            dx, (N, *input_shape), or None.
        """
        d: Array | None = dy
        for index in range(len(self.order) - 1, -1, -1):
            assert d is not None  # noqa: S101 — only the first layer may withhold dx
            d = self.order[index].backward(d, need_dx=need_dx or index > 0)
        return d

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """Every layer's forward pass for one array, laid out beforehand: see `core.inference.compiled`."""
        steps: list[Step] = []
        for layer in self.order:
            x, more = layer.compile(x)
            steps += more
        return x, steps

    def freeze(self) -> None:
        """Freeze every layer; see `Layer.freeze`."""
        for layer in self.layers:
            layer.freeze()

    def as_written(self) -> None:
        """From now on, compute the layers in the order in which they are written: for those who look at each."""
        self.order = self.layers
        for layer in self.layers:
            layer.as_written()

    def replica(self) -> Self:
        """A chain with the same parameters, and scratch of its own, for use by another thread."""
        twin = copy(self)
        replicas = {layer: layer.replica() for layer in self.layers}
        twin.layers = tuple(replicas.values())
        twin.order = tuple(replicas[layer] for layer in self.order)
        return twin


def _pooled_first(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The layers, each ReLU that stands before a max pooling after it."""
    order = list(layers)
    for index, (layer, after) in enumerate(pairwise(layers)):
        if (layer.kind, after.kind) == ("relu", "maxpool2d"):
            order[index : index + 2] = after, layer
    return tuple(order)
