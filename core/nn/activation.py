"""Activations: the nonlinearity between two linear layers, without which they would be one.

All but `Softmax` act on each number alone, so their chain rule is a product: dx = dy · f′(x), number by number. Where
f′ can be had from y (ReLU, sigmoid, tanh), y is kept and x is not looked at again.
"""

from functools import partial
from math import pi, prod, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape, Step
from core.nn.layer import Layer
from core.nn.losses import softmax

_SMALL = 1 << 14
"""Numbers of which an array costs little to read beside others."""


class Activation(Layer):
    """A layer without parameters whose output has the shape of its input."""

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        super().__init__(input_shape, input_shape, dtype)


class ReLU(Activation):
    """y = max(x, 0), element by element (Nair & Hinton 2010).

    The slope is 1 where x > 0 and 0 elsewhere, so dx = dy · [x > 0]. At x = 0, where there is no derivative, 0 is
    taken. Where a unit is active, the gradient passes unchanged: this is what keeps it from vanishing with depth.
    """

    kind: ClassVar[str] = "relu"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max(x, 0)."""
        y: Array = np.maximum(x, self._zeros(x.shape), out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """y = max(x, 0)."""
        y = self.scratch("y", x.shape)
        return y, [partial(np.maximum, x, self._zeros(x.shape), out=y)]

    def _zeros(self, shape: Shape) -> Array:
        """NumPy takes the maximum of two arrays of one shape faster than that of an array and a 0."""
        return self.scratch("zeros", shape if prod(shape) <= _SMALL else (1, *shape[1:]), fill=0)

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · [y > 0]; y > 0 exactly where x > 0."""
        if not need_dx:
            return None
        active = np.greater(self.y, 0, out=self.scratch("active", dy.shape, bool))
        dx: Array = np.multiply(dy, active, out=self.scratch("dx", dy.shape))
        return dx


class LeakyReLU(Activation):
    """y = max(x, a x) with a small slope a (Maas, Hannun & Ng 2013, §2).

    The slope is 1 where x > 0 and a elsewhere, so dx = dy · (a + (1 − a) [x > 0]). Unlike with ReLU, a unit that is
    negative for every image still gets a gradient, and so can come back. At x = 0, where there is no derivative, a is
    taken.
    """

    kind: ClassVar[str] = "leaky_relu"

    def __init__(self, input_shape: Shape, *, slope: float = 0.01, dtype: DTypeLike = np.float32) -> None:
        if not 0 <= slope < 1:
            raise ArchitectureError(f"leaky_relu: slope = {slope}, expected at least 0 and below 1")
        super().__init__(input_shape, dtype=dtype)
        self.slope = float(slope)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max(x, a x): of the two, a x is the larger where x < 0, because a < 1."""
        y: Array = np.multiply(x, self.slope, out=self.scratch("y", x.shape))
        np.maximum(x, y, out=y)
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · (a + (1 − a) [y > 0]); y > 0 exactly where x > 0."""
        if not need_dx:
            return None
        dx: Array = np.greater(self.y, 0, out=self.scratch("dx", dy.shape))  # 1.0 or 0.0
        dx *= 1 - self.slope
        dx += self.slope
        dx *= dy
        return dx


def sigmoid(x: Array, out: Array) -> Array:
    """1 / (1 + exp(−x)) = ½ (1 + tanh(x / 2)), element by element, written to `out`, which may be `x` itself.

    In the second form no number is too large: exp(−x) overflows float32 near x = −88. The error is a rounding error of
    numbers near 1, so in float32 what is below 10⁻⁷ comes out as some such number, or as 0.
    """
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out += 1
    out *= 0.5
    return out


class Sigmoid(Activation):
    """y = σ(x) = 1 / (1 + exp(−x)): any number becomes one between 0 and 1 (Rumelhart, Hinton & Williams 1986, eq. 2).

    σ′(x) = exp(−x) / (1 + exp(−x))² = σ(x) (1 − σ(x)), so dx = dy · y (1 − y). That is at most 1/4: gradients fade
    from layer to layer, which is why hidden layers have mostly left the sigmoid behind.
    """

    kind: ClassVar[str] = "sigmoid"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = σ(x)."""
        y = sigmoid(x, out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · y (1 − y)."""
        if not need_dx:
            return None
        dx: Array = np.subtract(1, self.y, out=self.scratch("dx", dy.shape))
        dx *= self.y
        dx *= dy
        return dx


class Tanh(Activation):
    """y = tanh(x) = 2 σ(2x) − 1: a sigmoid from −1 to 1, around zero (LeCun, Bottou, Orr & Müller 1998, §4.4).

    tanh′(x) = 1 − tanh²(x), so dx = dy · (1 − y²). At 0 the slope is 1, four times the sigmoid's.
    """

    kind: ClassVar[str] = "tanh"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = tanh(x)."""
        y: Array = np.tanh(x, out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · (1 − y²)."""
        if not need_dx:
            return None
        dx: Array = np.multiply(self.y, self.y, out=self.scratch("dx", dy.shape))
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx


class GELU(Activation):
    """y = x Φ(x) with Φ the normal distribution function, in its tanh form (Hendrycks & Gimpel 2016, §2).

    Φ(x) = ½ (1 + erf(x / √2)) is taken as ½ (1 + t), t = tanh(u), u = √(2/π) (x + 0.044715 x³), because NumPy has no
    erf; y is then off by at most 5 · 10⁻⁴. The chain rule through t, with t′ = (1 − t²) u′:

        u′ = √(2/π) (1 + 3 · 0.044715 x²)
        y′ = ½ (1 + t) + ½ x (1 − t²) u′        dx = dy · y′

    A smooth ReLU: it weighs x by how likely a standard normal number is to lie below it.
    """

    kind: ClassVar[str] = "gelu"
    root: ClassVar[float] = sqrt(2 / pi)
    cubic: ClassVar[float] = 0.044715

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = ½ x (1 + t)."""
        t: Array = np.multiply(x, x, out=self.scratch("t", x.shape))
        t *= self.root * self.cubic
        t += self.root
        t *= x  # u
        np.tanh(t, out=t)
        y: Array = np.add(t, 1, out=self.scratch("y", x.shape))
        y *= x
        y *= 0.5
        if training:
            self.x, self.t = x, t
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · ½ (1 + t + x (1 − t²) u′)."""
        if not need_dx:
            return None
        x, t = self.x, self.t
        xdu: Array = np.multiply(x, x, out=self.scratch("xdu", x.shape))
        xdu *= 3 * self.root * self.cubic
        xdu += self.root
        xdu *= x  # x u′
        dx: Array = np.multiply(t, t, out=self.scratch("dx", x.shape))
        np.subtract(1, dx, out=dx)
        dx *= xdu
        dx += t
        dx += 1
        dx *= 0.5
        dx *= dy
        return dx


class SiLU(Activation):
    """y = x σ(x) (Elfwing, Uchibe & Doya 2018; also called Swish: Ramachandran, Zoph & Le 2017).

    By the product rule y′ = σ + x σ (1 − σ) = σ + y (1 − σ), so dx = dy · (σ + y (1 − σ)). Close to GELU, whose Φ(x)
    is near σ(1.702 x).
    """

    kind: ClassVar[str] = "silu"

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = x σ(x)."""
        s = sigmoid(x, out=self.scratch("s", x.shape))
        y: Array = np.multiply(x, s, out=self.scratch("y", x.shape))
        if training:
            self.s, self.y = s, y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · (σ + y (1 − σ))."""
        if not need_dx:
            return None
        dx: Array = np.subtract(1, self.s, out=self.scratch("dx", dy.shape))
        dx *= self.y
        dx += self.s
        dx *= dy
        return dx


class Softmax(Activation):
    """y_k = exp(x_k) / Σ_j exp(x_j) along the last axis: positive numbers that sum to 1 (Bridle 1990).

    Every y depends on every x of its row: ∂y_j/∂x_k = y_j ([j = k] − y_k). The chain rule sums over j, and the
    Jacobian itself, K × K for each row, is never made:

        dx_k = Σ_j dy_j y_j ([j = k] − y_k) = y_k (dy_k − Σ_j dy_j y_j)

    Not for the end of a classifier: `SoftmaxCrossEntropy` and the predictor want logits, and take the softmax
    themselves.
    """

    kind: ClassVar[str] = "softmax"

    def __init__(self, input_shape: Shape, *, dtype: DTypeLike = np.float32) -> None:
        if not input_shape:
            raise ArchitectureError("softmax: input of shape (), expected at least one axis")
        super().__init__(input_shape, dtype=dtype)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = softmax(x)."""
        y = softmax(x, out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = y · (dy − Σ dy · y)."""
        if not need_dx:
            return None
        dx: Array = np.multiply(dy, self.y, out=self.scratch("dx", dy.shape))
        total = dx.sum(axis=-1, keepdims=True)
        np.subtract(dy, total, out=dx)
        dx *= self.y
        return dx
