"""What every layer is: named parameters, a forward pass, and the backward pass that mirrors it.

Legend, used in every layer:

    N     images in the batch
    x, y  a layer's input and output,  y = f(x; W, b)
    dx    ∂L/∂x, the gradient of the loss L with respect to x; likewise dy, dW, db. Each has the shape of what it
          is the gradient of.

Backpropagation (Rumelhart, Hinton & Williams 1986) is the chain rule, applied from the last layer to the first: a
layer is handed dy, stores dW and db beside W and b, and hands dx to the layer before it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from copy import copy
from typing import ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike

from core.kernels import aligned
from core.kernels.arrays import Array, Scratch, Shape, Step


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
        kind: The name under which recipes know the layer, e.g. `"dense"`.
        input_shape: Shape of one input, without the batch axis.
        output_shape: Shape of one output, without the batch axis.
        parameters: What the optimizer trains, by name (`"W"`, `"b"`). A layer that is made of layers lists theirs under
            dotted names (`"0.dense.W"`); likewise below.
        buffers: What is saved with the parameters but not trained, by name.
        generators: Where its random numbers come from while training, by name; a checkpoint keeps where each stands.
        frozen: Whether the layer computes in training what it computes in use; see `freeze`.

    A layer keeps what its backward pass needs from its last forward pass, and its arrays in `scratch`. So an array
    that it returns is valid until its next call, and one layer object belongs to one thread (see `replica`).
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
            (N, *output_shape), valid until the next call.
        """

    @abstractmethod
    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """Store the gradient of every parameter, and return dx.

        Args:
            dy: (N, *output_shape), the gradient for what `forward` returned last.
            need_dx: False for the first layer: nobody uses the gradient of the images, and it is a third of the work.

        Returns:
            dx, (N, *input_shape), valid until the next call; None where it is not needed.
        """

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """The forward pass out of training, laid out beforehand for one array: see `core.inference.compiled`.

        Args:
            x: (N, *input_shape), C-contiguous. Its numbers are not there yet, and will be others each time.

        Returns:
            Where y will be, C-contiguous, and the calls that bring it there, made once the numbers of x are there.
        """
        y = self.scratch("compiled y", (len(x), *self.output_shape))
        return y, [lambda: np.copyto(y, self.forward(x))]

    def named_layers(self) -> "Iterator[tuple[str, Layer]]":
        """The layers that it is made of, by dotted name; most are made of none."""
        return iter(())

    def freeze(self) -> None:
        """From now on, compute in training what is computed in use; for good.

        A backward pass through a frozen network gives the gradient of the function that is used, where batch norm has
        its running averages and dropout is off. To most layers training makes no difference, and so neither does this.
        """
        self.frozen = True

    def as_written(self) -> None:  # noqa: B027 — most layers are made of none
        """From now on, compute the layers that it is made of in the order in which they are written; see `Chain`."""

    def replica(self) -> Self:
        """A layer with the same parameters and buffers and its own scratch, for use by another thread."""
        twin = copy(self)
        twin.scratch = Scratch(self.dtype)
        return twin
