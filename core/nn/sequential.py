"""A network: layers in a row, and one vector that holds all their parameters."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.kernels import aligned
from core.kernels.arrays import Array, Shape
from core.nn.chain import Chain
from core.nn.layer import Layer, Parameter


class Sequential(Chain):
    """A whole network: a chain of layers with its shapes, its parameters as one vector, and its state.

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
        super().__init__(layers)
        self.input_shape: Shape = layers[0].input_shape
        self.output_shape: Shape = layers[-1].output_shape
        self.dtype = layers[0].dtype
        self.vector = _gather([p for _, p in self.named_parameters()], self.dtype)

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

    def twin(self) -> Self:
        """A network with the same parameter values, and gradients, buffers, generators and scratch of its own.

        For training by another thread. (A `replica` shares all but scratch, and is for use.)
        """
        twin = deepcopy(self)
        own, shared = ([p for _, p in network.named_parameters()] for network in (twin, self))
        twin.vector = _gather(own, self.dtype)  # a deep copy's views are no longer views
        twin.vector.value = self.vector.value
        for p, original in zip(own, shared, strict=True):
            p.value = original.value
        return twin

    def random_state(self) -> dict[str, Any]:
        """Where each source of random numbers stands, by full name: what a checkpoint keeps beside the state.

        Plain dictionaries of text and whole numbers (up to 128 bits), fit for JSON.
        """
        return {name: generator.bit_generator.state for name, generator in self.named_generators()}

    def load_random_state(self, state: Mapping[str, Any]) -> None:
        """Go on drawing where the network stood from which `state` was taken.

        Raises:
            ArchitectureError: Names that are not those of this network, or something else than a generator's state.
        """
        own = dict(self.named_generators())
        if own.keys() != state.keys():
            found, wanted = (", ".join(sorted(names)) or "none" for names in (state, own))
            raise ArchitectureError(f"random state of {found}, this network draws in {wanted}")
        for name, generator in own.items():
            try:
                generator.bit_generator.state = state[name]
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                kind = type(generator.bit_generator).__name__
                raise ArchitectureError(f"{name}: not the state of a {kind} generator ({error!r})") from error


def _gather(parameters: Sequence[Parameter], dtype: np.dtype[Any]) -> Parameter:
    """Lay all parameters end to end in one vector, and make each a view of its stretch."""
    vector = Parameter(aligned.empty(sum(p.value.size for p in parameters), dtype))
    start = 0
    for p in parameters:
        stretch, shape = slice(start, start + p.value.size), p.value.shape
        vector.value[stretch] = p.value.ravel()
        p.value = vector.value[stretch].reshape(shape)
        p.grad = vector.grad[stretch].reshape(shape)
        start = stretch.stop
    return vector
