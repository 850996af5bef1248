"""A network that is not trained any more: all that can be decided beforehand is decided once.

At every call, a forward pass looks up how many images there are, which arrays to take, which pixels a kernel sees. For
a large batch that is nothing. For one image it takes longer than the arithmetic: the network of `recipes/cnn.toml`
makes some hundred calls to NumPy, at about a microsecond each. Here all of that is done once for each batch size, and
what is left is a list of NumPy calls with all of their arguments: ufuncs, copies and matrix products. How each kind of
layer becomes such calls is the matter of `core.inference.lay_out`.
"""

import numpy as np

from core.inference.lay_out import lay_out
from core.kernels import aligned
from core.kernels.arrays import Array
from core.kernels.product import slicing
from core.nn.sequential import Sequential

MOST_IMAGES = 64
"""The most images in one forward pass. More are no faster, and need more memory."""


class Compiled:
    """The forward pass of a network for batches of one size.

    The results are those of `Sequential.forward`, bit for bit if both compute matrix products in slices, or neither.

    The weights must not change afterwards: whatever is computed from them is computed once. An object belongs to one
    thread, like the network, whose scratch it uses. To use several batch sizes, compile the largest first: the others
    then share its arrays.

    Attributes:
        x: The input: write the images here.
        y: (N, *output_shape), the output, overwritten by each `forward`.
        steps: The calls that compute y from x.
    """

    def __init__(self, network: Sequential, x: Array, *, sliced: bool = False) -> None:
        """Lay out the forward pass.

        Args:
            network: As trained.
            x: (N, *input_shape), C-contiguous: where the images will be.
            sliced: Whether to compute matrix products in slices: see `core.kernels.product`.
        """
        self.x = x
        with slicing(sliced):
            self.y, self.steps = lay_out(network, x)

    def forward(self) -> Array:
        """The outputs for the contents of `x`: (N, *output_shape), valid until the next call."""
        for step in self.steps:
            step()
        return self.y


class Passes:
    """The forward passes of one replica of a network, by batch size."""

    def __init__(self, network: Sequential, *, sliced: bool) -> None:
        """Lay out the pass for the largest batch.

        Args:
            network: The replica, which nobody else uses.
            sliced: Whether to compute matrix products in slices.
        """
        self._network, self._sliced = network, sliced
        x = aligned.empty((MOST_IMAGES, *network.input_shape), np.float32)
        self._whole = Compiled(network, x, sliced=sliced)
        self._by_size = {MOST_IMAGES: self._whole}

    def of(self, count: int) -> Compiled:
        """The forward pass for this number of images, at most `MOST_IMAGES`."""
        if count not in self._by_size:
            self._by_size[count] = Compiled(self._network, self._whole.x[:count], sliced=self._sliced)
        return self._by_size[count]
