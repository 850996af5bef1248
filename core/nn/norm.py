"""Normalization between layers."""

from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape
from core.kernels.sums import affine, by_column, column_sums
from core.nn.layer import Layer, Parameter


class BatchNorm(Layer):
    """Each feature shifted and scaled to mean 0 and variance 1 over the batch, then to a learned mean and scale.

    (Ioffe & Szegedy 2015, algorithm 1.) A feature is an index of the last axis; the other axes are the places where it
    occurs: M = N for rows (N, D), M = N·H·W for pictures (N, H, W, C). For one feature, with i over its M places:

        μ   = (1/M) Σ_i x_i
        c_i = x_i − μ                          centered
        σ²  = (1/M) Σ_i c_i² + ε               ε keeps a constant feature from a division by zero
        x̂_i = c_i / σ                          normalized
        y_i = γ x̂_i + β

    The last line is an ordinary weighted sum:

        dγ = Σ_i dy_i x̂_i        dβ = Σ_i dy_i        dx̂_i = γ dy_i

    x_i acts on L in three ways: through its own c_i, and through σ and μ, which every place shares. From the end:

        1. through σ:   dσ = Σ_i dx̂_i ∂(c_i / σ)/∂σ = −(1/σ²) Σ_i dx̂_i c_i = −(γ/σ) Σ_i dy_i x̂_i = −(γ/σ) dγ
                        ∂σ/∂c_i = c_i / (M σ) = x̂_i / M
        2. so           dc_i = dx̂_i / σ + dσ x̂_i / M = (γ/σ) (dy_i − x̂_i dγ / M)
        3. through μ:   ∂c_j/∂x_i = [i = j] − 1/M, so dx_i = dc_i − (1/M) Σ_j dc_j
        4. as Σ_j x̂_j = 0, that mean is (γ/σ) dβ / M, and

        dx_i = (γ/σ) (dy_i − dβ / M − x̂_i dγ / M)

    What is subtracted is the part of dy along 1 and along x̂: moving there changes only μ and σ, which the layer takes
    out again.

    In training, μ and the unbiased variance M/(M−1) (σ² − ε) also enter running averages, which take their place in
    use: an image's result then does not depend on the rest of its batch, and the layer is one multiply-add,
    y = x · (γ/σ) + (β − μ γ/σ).

    Frozen (see `Layer.freeze`), the layer uses the running averages in training too. Then μ and σ are constants: x_i
    acts on L through its own c_i alone, steps 1 and 3 disappear, and with them what was subtracted. What is left is

        dx_i = (γ/σ) dy_i        with dγ and dβ as above, x̂ being made with the running μ and σ

    A bias in the layer before has no effect: μ takes it out. A single place (M = 1) has no variance: its y is β, and
    the running averages stay as they are.

    Parameters: gamma (C,), beta (C,). Buffers: running_mean (C,), running_var (C,).
    """

    kind: ClassVar[str] = "batch_norm"

    def __init__(
        self, input_shape: Shape, *, momentum: float = 0.9, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        """Make a layer that is the identity in use (up to ε) until it is trained.

        Args:
            input_shape: (D,), or (H, W, C).
            momentum: The share of a running average that is kept at each step. With 0.9, about the last ten batches
                count. (PyTorch's momentum is 1 minus this one.)
            eps: ε.
            dtype: Of parameters, buffers and outputs.
        """
        if not input_shape:
            raise ArchitectureError("batch_norm: input of shape (), expected at least one axis")
        if not 0 <= momentum < 1:
            raise ArchitectureError(f"batch_norm: momentum = {momentum}, expected at least 0 and below 1")
        if not 1e-12 <= eps <= 1:  # not 0, even after rounding to float32
            raise ArchitectureError(f"batch_norm: eps = {eps}, expected 1e-12 to 1")
        super().__init__(input_shape, input_shape, dtype)
        self.momentum, self.eps = float(momentum), float(eps)
        self.features = input_shape[-1]
        self.gamma = Parameter(np.ones(self.features, dtype))
        self.beta = Parameter(np.zeros(self.features, dtype))
        self.running_mean: Array = np.zeros(self.features, dtype)
        self.running_var: Array = np.ones(self.features, dtype)
        self.parameters = {"gamma": self.gamma, "beta": self.beta}
        self.buffers = {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = c · (γ/σ) + β with c = x − μ; in use, y = x · (γ/σ) + (β − μ γ/σ) with the running μ and σ."""
        if not training:
            return affine(x, *self.in_use(), self.scratch)
        self.c, self.sigma = self._centered(x)
        return affine(self.c, self.gamma.value / self.sigma, self.beta.value, self.scratch)

    def in_use(self) -> tuple[Array, Array]:
        """The factor γ/σ and the offset β − μ γ/σ with the running μ and σ, (C,) each."""
        factor: Array = self.gamma.value / np.sqrt(self.running_var + self.eps)
        return factor, self.beta.value - self.running_mean * factor

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dγ = Σ dy x̂, dβ = Σ dy, dx = (γ/σ) (dy − dβ / M − x̂ dγ / M), where x̂ = c / σ; frozen, dx = (γ/σ) dy."""
        c, sigma, M = self.c, self.sigma, self._places(dy)
        dx: Array = self.scratch("dx", dy.shape)
        np.divide(self._sum(np.multiply(dy, c, out=dx)), sigma, out=self.gamma.grad)
        self.beta.grad[...] = self._sum(dy)
        if not need_dx:
            return None
        if self.frozen:
            return by_column(np.multiply, dy, self.gamma.value / sigma, self.scratch, out=dx)
        by_column(np.multiply, c, self.gamma.grad / (M * sigma), self.scratch, out=dx)  # x̂ dγ / M
        np.subtract(dy, dx, out=dx)
        by_column(np.subtract, dx, self.beta.grad / M, self.scratch, out=dx)
        return by_column(np.multiply, dx, self.gamma.value / sigma, self.scratch, out=dx)

    def _centered(self, x: Array) -> tuple[Array, Array]:
        """c = x − μ and σ, of the batch, which the running averages then follow; frozen, of the running averages."""
        c = self.scratch("c", x.shape)
        if self.frozen:
            by_column(np.subtract, x, self.running_mean, self.scratch, out=c)
            return c, np.sqrt(self.running_var + self.eps)
        M = self._places(x)
        mean = self._sum(x) / M
        by_column(np.subtract, x, mean, self.scratch, out=c)
        variance = self._sum(np.multiply(c, c, out=self.scratch("y", x.shape))) / M
        if M > 1:
            self._follow(self.running_mean, mean)
            self._follow(self.running_var, variance * (M / (M - 1)))
        return c, np.sqrt(variance + self.eps)

    def _follow(self, average: Array, value: Array) -> None:
        average *= self.momentum  # in place: replicas share the array
        average += (1 - self.momentum) * value

    def _sum(self, x: Array) -> Array:
        """Each feature's sum over all of its places, (C,)."""
        return column_sums(x.reshape(-1, self.features), self.scratch)

    def _places(self, x: Array) -> int:
        """M."""
        return x.size // self.features
