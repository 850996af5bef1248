"""What layers share that are made of layers."""

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from core.kernels.arrays import Shape
from core.nn.chain import Chain
from core.nn.layer import Layer


class Composite(Layer):
    """A layer whose work is done by chains of layers; what they have is its own, under dotted names.

    Attributes:
        ways: The chains, by what stands before the names of their layers: `shortcut.` makes `0.dense` of a chain the
            block's `shortcut.0.dense`.
    """

    def __init__(
        self, input_shape: Shape, output_shape: Shape, ways: Mapping[str, Chain], dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__(input_shape, output_shape, dtype)
        self.ways = dict(ways)
        chains = self.ways.items()
        self.parameters = {prefix + name: p for prefix, way in chains for name, p in way.named_parameters()}
        self.buffers = {prefix + name: b for prefix, way in chains for name, b in way.named_buffers()}
        self.generators = {prefix + name: g for prefix, way in chains for name, g in way.named_generators()}

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """The layers of every chain."""
        for prefix, way in self.ways.items():
            for name, layer in way.named_layers():
                yield prefix + name, layer

    def freeze(self) -> None:
        """Freeze the layers of every chain."""
        super().freeze()
        for way in self.ways.values():
            way.freeze()

    def as_written(self) -> None:
        """Compute every chain in the order in which it is written."""
        for way in self.ways.values():
            way.as_written()

    def replica(self) -> Self:
        """A layer with the same parameters and buffers, and scratch of its own in every layer of every chain."""
        twin = super().replica()
        twin.ways = {prefix: way.replica() for prefix, way in self.ways.items()}
        return twin
