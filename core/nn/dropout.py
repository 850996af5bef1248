"""Dropout."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.nn.layer import Layer


class Dropout(Layer):
    """y = x · m, where each number of the mask m is 0 with probability p, else 1 / (1 − p) (Srivastava et al. 2014).

    No unit can rely on the presence of another, so each learns something useful by itself. The mean of m is
    p · 0 + (1 − p) / (1 − p) = 1: the next layer sees the same mean in training and in use ("inverted" dropout, §10
    of the paper), and in use the layer is the identity.

    For a given mask the layer is a product, so dx = dy · m.

    The masks come from the layer's own generator, a child of the one that it was built with: the same seed gives the
    same masks, and those of different layers are independent. It is listed in `generators`, so that a resumed training
    continues with the masks that would have come next (`Sequential.random_state`). In use nothing is drawn. Replicas
    share the generator: any number of threads may use them at once, but only one may train.
    A frozen layer is always the identity, and so is its backward pass.
    """

    kind: ClassVar[str] = "dropout"

    def __init__(
        self, input_shape: Shape, *, rate: float, rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        if not 0 <= rate < 1:
            raise ArchitectureError(f"dropout: rate = {rate}, expected at least 0 and below 1")
        super().__init__(input_shape, input_shape, dtype)
        self.rate = float(rate)
        self.rng = rng.spawn(1)[0]  # takes no number from `rng`: initial weights do not depend on dropout layers
        self.generators = {"rng": self.rng}

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = x · m; y = x in use, and if the layer is frozen."""
        if not training or self.frozen:
            return x
        m = self.scratch("m", x.shape)
        self.rng.random(out=m, dtype=m.dtype)
        np.greater_equal(m, self.rate, out=m)  # 1.0 with probability 1 − p, or 0.0
        m *= 1 / (1 - self.rate)
        self.m = m
        y: Array = np.multiply(x, m, out=self.scratch("y", x.shape))
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · m; dx = dy if the layer is frozen."""
        if not need_dx:
            return None
        if self.frozen:
            return dy
        dx: Array = np.multiply(dy, self.m, out=self.scratch("dx", dy.shape))
        return dx
