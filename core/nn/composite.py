"""Layers that are made of other layers."""

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from core.kernels.arrays import Shape
from core.nn.layer import Layer


class Composite(Layer):
    """A layer whose work is done by other layers, its parts. Their parameters, buffers and generators are its own.

    Attributes:
        parts: The layers that it is made of, by name. A part's parameter `W` is the composite's `<part>.W`; a part
            with the empty name adds nothing to the names of what it holds.
    """

    def __init__(
        self, input_shape: Shape, output_shape: Shape, parts: Mapping[str, Layer], dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__(input_shape, output_shape, dtype)
        self.parts = dict(parts)
        items = self.parts.items()
        self.parameters = {dotted(part, name): p for part, layer in items for name, p in layer.parameters.items()}
        self.buffers = {dotted(part, name): b for part, layer in items for name, b in layer.buffers.items()}
        self.generators = {dotted(part, name): g for part, layer in items for name, g in layer.generators.items()}

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """The layers that the parts are made of."""
        for part, layer in self.parts.items():
            for name, inner in layer.named_layers():
                yield dotted(part, name), inner

    def freeze(self) -> None:
        """Freeze every part."""
        super().freeze()
        for layer in self.parts.values():
            layer.freeze()

    def as_written(self) -> None:
        """From now on, compute all layers in the order in which they are written: see `Chain.order`."""
        for layer in self.parts.values():
            if isinstance(layer, Composite):
                layer.as_written()

    def replica(self) -> Self:
        """A layer made of replicas of the parts."""
        replica = super().replica()
        replica.parts = {part: layer.replica() for part, layer in self.parts.items()}
        return replica


def dotted(part: str, name: str) -> str:
    """The name, within a composite, of what a part calls `name`."""
    return f"{part}.{name}" if part else name
