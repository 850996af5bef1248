"""Dropout."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape, Step
from core.nn.layer import Layer


class Dropout(Layer):
    """y = x · m, where each number of the mask m is 0 with probability p, else 1 / (1 − p) (Srivastava et al. 2014).

    No unit can rely on another one being there, so each learns something useful by itself. The mean of m is
    p · 0 + (1 − p) / (1 − p) = 1: what follows sees the same mean in training and in use ("inverted" dropout, §10 of
    the paper), and out of training the layer is the identity.

    For a given mask the layer is a product, so dx = dy · m.

    The masks come from a generator of the layer's own, a child of the one that it was built with: the same seed gives
    the same masks, each layer's independent of every other layer's. It is listed in `generators`, so that a training
    can be resumed with the very masks that would have come next (`Sequential.random_state`). Out of training nothing
    is drawn; replicas share the generator, and so may serve in any number of threads, but train only one at a time.
    A frozen layer is the identity always, and so is its backward pass.
    """

    kind: ClassVar[str] = "dropout"

    def __init__(
        self, input_shape: Shape, *, rate: float, rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        if not 0 <= rate < 1:
            raise ArchitectureError(f"dropout: rate = {rate}, expected at least 0 and below 1")
        super().__init__(input_shape, input_shape, dtype)
        self.rate = float(rate)
        self.rng = rng.spawn(1)[0]  # takes no number from `rng`: the weights do not depend on where a dropout stands
        self.generators = {"rng": self.rng}

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = x · m; x itself out of training, and where it is frozen."""
        if not training or self.frozen:
            return x
        m = self.scratch("m", x.shape)
        self.rng.random(out=m, dtype=m.dtype)
        np.greater_equal(m, self.rate, out=m)  # 1.0 with probability 1 − p, or 0.0
        m *= 1 / (1 - self.rate)
        self.m = m
        y: Array = np.multiply(x, m, out=self.scratch("y", x.shape))
        return y

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """x itself: no call at all."""
        return x, []

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · m; dy itself where it is frozen."""
        if not need_dx:
            return None
        if self.frozen:
            return dy
        dx: Array = np.multiply(dy, self.m, out=self.scratch("dx", dy.shape))
        return dx
