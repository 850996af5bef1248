"""A network that is not trained any more: whatever can be decided beforehand, is.

A forward pass asks at every call how many images there are, which arrays to take, which pixels a kernel sees. For a
large batch that is nothing. For one image it takes longer than the arithmetic: the network of `recipes/cnn.toml` makes
some hundred calls to NumPy, at about a microsecond each. Here all of that is done once for each batch size, and what
is left is a list of NumPy calls with all of their arguments: ufuncs, copies and matrix products.

Each layer lays out its own part (`Layer.compile`); one that does not say how is simply called, as ever.
"""

from core.kernels.arrays import Array
from core.kernels.product import slicing
from core.nn.sequential import Sequential


class Compiled:
    """The forward pass of a network for batches of one size; the same numbers as `Sequential.forward`, bit for bit
    where both compute products in slices, or neither.

    The weights must not change afterwards: what layers compute from them is computed once. It belongs to one thread,
    like the network, whose scratch it works in; of several sizes, compile the largest first, and they share their
    arrays.

    Attributes:
        x: The input: write the images here.
        y: (N, *output_shape), the output, overwritten by each `forward`.
        steps: The calls that make y of x.
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
            self.y, self.steps = network.compile(x)

    def forward(self) -> Array:
        """The outputs for what is in `x`: (N, *output_shape), valid until the next call."""
        for step in self.steps:
            step()
        return self.y
