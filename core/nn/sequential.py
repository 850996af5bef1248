"""A network: layers in a row, and one vector that holds all their parameters."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.kernels import aligned
from core.kernels.arrays import Array
from core.nn.chain import Chain
from core.nn.layer import Layer, Parameter


class Sequential(Chain):
    """A whole network: a chain of layers, all of its parameters as one vector, and its state.

    All parameters are views into `vector`: the layers see matrices with names, while an optimizer updates the whole
    network in one vectorized step, however many layers there are.

    Attributes:
        vector: Every parameter and gradient, end to end; value and grad are (parameter count,).
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not layers:
            raise ArchitectureError("a network needs at least one layer, found none")
        super().__init__(layers[0].input_shape, layers, layers[0].dtype)
        self.vector = _gather(list(self.parameters.values()), self.dtype)

    def state(self) -> dict[str, Array]:
        """A copy of all parameters and buffers by full name: what an artifact stores."""
        return {name: array.copy() for name, array in self._arrays().items()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy all parameters and buffers from a state.

        Raises:
            ArchitectureError: Names, shapes or dtypes are not those of this network; nothing was changed.
        """
        own = self._arrays()
        if missing := sorted(own.keys() - state.keys()):
            raise ArchitectureError(f"weights lack {', '.join(missing)}; found: {', '.join(sorted(state)) or 'none'}")
        if surplus := sorted(state.keys() - own.keys()):
            raise ArchitectureError(f"weights hold {', '.join(surplus)}, which this network does not have")
        for name, array in own.items():
            found = state[name]
            if found.shape != array.shape or found.dtype != array.dtype:
                raise ArchitectureError(
                    f"{name}: found {found.dtype} {found.shape}, this network has {array.dtype} {array.shape}"
                )
        for name, array in own.items():
            array[...] = state[name]

    def _arrays(self) -> dict[str, Array]:
        return {name: parameter.value for name, parameter in self.parameters.items()} | dict(self.buffers)

    def with_own_gradients(self) -> Self:
        """A network with the same parameter values, but gradients, buffers, generators and scratch of its own.

        For training by another thread, where a `replica` will not do: replicas share their gradients and buffers.
        """
        network = deepcopy(self)
        own = list(network.parameters.values())
        network.vector = _gather(own, self.dtype)  # the arrays of a deep copy are no views any more
        network.vector.value = self.vector.value
        for p, original in zip(own, self.parameters.values(), strict=True):
            p.value = original.value
        return network

    def random_state(self) -> dict[str, Any]:
        """The state of each random number generator, by full name: what a checkpoint saves beside `state`.

        Plain dictionaries of text and whole numbers (up to 128 bits), which JSON can hold.
        """
        return {name: generator.bit_generator.state for name, generator in self.generators.items()}

    def load_random_state(self, state: Mapping[str, Any]) -> None:
        """Continue the sequences of random numbers from where `random_state` was called.

        Raises:
            ArchitectureError: The names are not those of this network, or a value is not a generator's state.
        """
        own = self.generators
        if own.keys() != state.keys():
            found, wanted = (", ".join(sorted(names)) or "none" for names in (state, own))
            raise ArchitectureError(f"random state of {found}, expected of {wanted}")
        for name, generator in own.items():
            try:
                generator.bit_generator.state = state[name]
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                kind = type(generator.bit_generator).__name__
                raise ArchitectureError(f"{name}: not the state of a {kind} generator ({error!r})") from error


def _gather(parameters: Sequence[Parameter], dtype: np.dtype[Any]) -> Parameter:
    """Copy all parameters into one vector, end to end, and make each a view of its part."""
    vector = Parameter(aligned.empty(sum(p.value.size for p in parameters), dtype))
    start = 0
    for p in parameters:
        part, shape = slice(start, start + p.value.size), p.value.shape
        vector.value[part] = p.value.ravel()
        p.value = vector.value[part].reshape(shape)
        p.grad = vector.grad[part].reshape(shape)
        start = part.stop
    return vector
