"""What every layer is: a forward pass, and the backward pass that mirrors it.

Legend, used in every layer:

    N     images in the batch
    x, y  a layer's input and output,  y = f(x; W, b)
    dx    ∂L/∂x, the gradient of the loss L with respect to x; likewise dy, dW, db. Each has the shape of what it
          is the gradient of.

Backpropagation (Rumelhart, Hinton & Williams 1986) is the chain rule, applied from the last layer to the first: a
layer receives dy, stores dW and db beside W and b, and returns dx for the layer before it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from copy import copy
from typing import ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike

from core.kernels import aligned
from core.kernels.arrays import Array, Scratch, Shape


class Parameter:
    """A trained array and its gradient.

    Attributes:
        value: The array itself, e.g. a weight matrix.
        grad: ∂L/∂value, same shape and dtype; overwritten by each backward pass.
    """

    __slots__ = ("grad", "value")

    def __init__(self, value: Array) -> None:
        self.value = value
        self.grad = aligned.zeros(value.shape, value.dtype)


class Layer(ABC):
    """One differentiable function. Subclasses take `input_shape` first, then their options as keywords.

    Attributes:
        kind: The name of the layer in recipes, e.g. `"dense"`.
        input_shape: Shape of one input, without the batch axis.
        output_shape: Shape of one output, without the batch axis.
        parameters: What the optimizer trains, by name (`"W"`, `"b"`).
        buffers: What is saved with the parameters but not trained, by name.
        generators: The sources of its random numbers in training, by name; a checkpoint saves their states.
        frozen: Whether the layer computes the same in training as in use; see `freeze`.

    A layer keeps what its backward pass needs from its last forward pass, and computes in arrays of its own, those of
    `scratch`. So an array that it returns is valid until its next call, and a layer object belongs to one thread: other
    threads use a `replica`.
    """

    kind: ClassVar[str]
    frozen: bool = False

    def __init__(self, input_shape: Shape, output_shape: Shape, dtype: DTypeLike = np.float32) -> None:
        self.input_shape = input_shape
        self.output_shape = output_shape
        self.dtype = np.dtype(dtype)
        self.parameters: Mapping[str, Parameter] = {}
        self.buffers: Mapping[str, Array] = {}
        self.generators: Mapping[str, np.random.Generator] = {}
        self.scratch = Scratch(dtype)

    @abstractmethod
    def forward(self, x: Array, *, training: bool = False) -> Array:
        """Compute y from x.

        Args:
            x: (N, *input_shape).
            training: Whether a backward pass will follow.

        Returns:
            y, (N, *output_shape), valid until the next call.
        """

    @abstractmethod
    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """Store the gradient of every parameter, and return dx.

        Args:
            dy: (N, *output_shape), the gradient for what `forward` returned last.
            need_dx: False for the first layer in training: nothing uses the gradient of the images, and it is a third
                of the work.

        Returns:
            dx, (N, *input_shape), valid until the next call; None if it is not needed.
        """

    def named_layers(self) -> "Iterator[tuple[str, Layer]]":
        """The layers that this one is made of, by dotted name. Most layers are made of none."""
        return iter(())

    def freeze(self) -> None:
        """From now on, compute the same in training as in use. It cannot be undone.

        The backward pass of a frozen network gives the gradient of the function that is used, where batch norm applies
        its running averages and dropout is off. Most layers compute the same in either case.
        """
        self.frozen = True

    def replica(self) -> Self:
        """A layer with the same parameters and buffers and its own scratch, for use by another thread."""
        replica = copy(self)
        replica.scratch = Scratch(self.dtype)
        return replica
