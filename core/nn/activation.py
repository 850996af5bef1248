"""Activations: the nonlinearity between two linear layers, without which they would be one.

All but `Softmax` act on each number by itself, so their chain rule is a product: dx = dy · f′(x), number by number.
Where the slope f′ is a function of y (ReLU, sigmoid, tanh), y is kept and x is not needed again.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.elementwise import (
    gelu,
    gelu_slope,
    gelu_tanh,
    leaky_relu,
    leaky_relu_slope,
    relu,
    sigmoid,
    sigmoid_slope,
    silu_slope,
    tanh_slope,
)
from core.nn.layer import Layer
from core.nn.losses import softmax


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
        y = relu(x, self.scratch)
        if training:
            self.y = y
        return y

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
    negative for every image still gets a gradient, and so can recover. At x = 0, where there is no derivative, a is
    taken.
    """

    kind: ClassVar[str] = "leaky_relu"

    def __init__(self, input_shape: Shape, *, slope: float = 0.01, dtype: DTypeLike = np.float32) -> None:
        if not 0 <= slope < 1:
            raise ArchitectureError(f"leaky_relu: slope = {slope}, expected at least 0 and below 1")
        super().__init__(input_shape, dtype=dtype)
        self.slope = float(slope)

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = max(x, a x): where x < 0, a x is the larger of the two, because a < 1."""
        y = leaky_relu(x, self.slope, out=self.scratch("y", x.shape))
        if training:
            self.y = y
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · (a + (1 − a) [y > 0]); y > 0 exactly where x > 0."""
        if not need_dx:
            return None
        dx = leaky_relu_slope(self.y, self.slope, out=self.scratch("dx", dy.shape))
        dx *= dy
        return dx


class Sigmoid(Activation):
    """y = σ(x) = 1 / (1 + exp(−x)): any number becomes one between 0 and 1 (Rumelhart, Hinton & Williams 1986, eq. 2).

    σ′(x) = exp(−x) / (1 + exp(−x))² = σ(x) (1 − σ(x)), so dx = dy · y (1 − y). That is at most 1/4: gradients fade
    from layer to layer, which is why sigmoids are rare in hidden layers now.
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
        dx = sigmoid_slope(self.y, out=self.scratch("dx", dy.shape))
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
        dx = tanh_slope(self.y, out=self.scratch("dx", dy.shape))
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

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = ½ x (1 + t), t = tanh(u)."""
        t = gelu_tanh(x, out=self.scratch("t", x.shape))
        y = gelu(x, t, out=self.scratch("y", x.shape))
        if training:
            self.x, self.t = x, t
        return y

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dx = dy · ½ (1 + t + x (1 − t²) u′)."""
        if not need_dx:
            return None
        spare, dx = (self.scratch(name, dy.shape) for name in ("spare", "dx"))
        gelu_slope(self.x, self.t, spare, out=dx)
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
        dx = silu_slope(self.s, self.y, out=self.scratch("dx", dy.shape))
        dx *= dy
        return dx


class Softmax(Activation):
    """y_k = exp(x_k) / Σ_j exp(x_j) along the last axis: positive numbers that sum to 1 (Bridle 1990).

    Every y depends on every x of its row: ∂y_j/∂x_k = y_j ([j = k] − y_k). The chain rule sums over j, and the
    Jacobian itself, K × K for each row, is never computed:

        dx_k = Σ_j dy_j y_j ([j = k] − y_k) = y_k (dy_k − Σ_j dy_j y_j)

    Not for the end of a classifier: `SoftmaxCrossEntropy` and the predictor expect logits, and take the softmax
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
