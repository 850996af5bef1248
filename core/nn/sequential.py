"""A network: layers in a row, and one vector that holds all their parameters."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.nn.layer import Array, Layer, Parameter, Shape


class Sequential:
    """Layers applied one after the other: y = f_k(… f_2(f_1(x))).

    By the chain rule, the backward pass is the same walk from the last layer to the first.

    All parameters are views into `vector`: the layers see matrices with names, while an optimizer updates the whole
    network in one vectorized step, however many layers there are.

    Attributes:
        layers: In order of application.
        input_shape: Shape of one input, without the batch axis.
        output_shape: Shape of one output, without the batch axis.
        vector: Every parameter and gradient, end to end; value and grad are (parameter count,).
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not layers:
            raise ArchitectureError("a network needs at least one layer, found none")
        self.layers = tuple(layers)
        self.input_shape: Shape = layers[0].input_shape
        self.output_shape: Shape = layers[-1].output_shape
        self.dtype = layers[0].dtype
        self.vector = _gather([p for _, p in self.named_parameters()], self.dtype)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter under its full name: position, kind, name, e.g. `0.dense.W`."""
        for index, layer in enumerate(self.layers):
            for name, parameter in layer.parameters.items():
                yield f"{index}.{layer.kind}.{name}", parameter

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Every buffer under its full name."""
        for index, layer in enumerate(self.layers):
            for name, buffer in layer.buffers.items():
                yield f"{index}.{layer.kind}.{name}", buffer

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """Logits for a batch.

        Args:
            x: (N, *input_shape).
            training: Whether a backward pass will follow.

        Returns:
            (N, *output_shape), valid until the next call.
        """
        for layer in self.layers:
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
        for index in range(len(self.layers) - 1, -1, -1):
            assert d is not None  # noqa: S101 — only the first layer may withhold dx
            d = self.layers[index].backward(d, need_dx=need_dx or index > 0)
        return d

    def state(self) -> dict[str, Array]:
        """A copy of all parameters and buffers by full name: what an artifact keeps."""
        named = {name: parameter.value for name, parameter in self.named_parameters()} | dict(self.named_buffers())
        return {name: array.copy() for name, array in named.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take over all parameters and buffers.

        Raises:
            ArchitectureError: Names, shapes or dtypes are not those of this network; nothing was changed.
        """
        own = {name: parameter.value for name, parameter in self.named_parameters()} | dict(self.named_buffers())
        if missing := sorted(own.keys() - state.keys()):
            raise ArchitectureError(f"weights lack {', '.join(missing)}; found: {', '.join(sorted(state)) or 'none'}")
        if surplus := sorted(state.keys() - own.keys()):
            raise ArchitectureError(f"weights hold {', '.join(surplus)}, which this network has not")
        for name, array in own.items():
            found = state[name]
            if found.shape != array.shape or found.dtype != array.dtype:
                raise ArchitectureError(
                    f"{name}: found {found.dtype} {found.shape}, this network has {array.dtype} {array.shape}"
                )
        for name, array in own.items():
            array[...] = state[name]

    def replica(self) -> "Sequential":
        """A network with the same parameters, and scratch of its own, for use by another thread."""
        twin = object.__new__(Sequential)
        twin.__dict__.update(self.__dict__)
        twin.layers = tuple(layer.replica() for layer in self.layers)
        return twin


def _gather(parameters: Sequence[Parameter], dtype: np.dtype[Any]) -> Parameter:
    """Lay all parameters end to end in one vector, and make each a view of its stretch."""
    vector = Parameter(np.empty(sum(p.value.size for p in parameters), dtype))
    start = 0
    for p in parameters:
        stretch, shape = slice(start, start + p.value.size), p.value.shape
        vector.value[stretch] = p.value.ravel()
        p.value = vector.value[stretch].reshape(shape)
        p.grad = vector.grad[stretch].reshape(shape)
        start = stretch.stop
    return vector
