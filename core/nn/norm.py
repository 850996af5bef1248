"""Normalization between layers."""

from functools import partial
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape, Step
from core.nn.layer import Layer, Parameter


class BatchNorm(Layer):
    """Each feature shifted and scaled to mean 0 and variance 1 over the batch, then to what is learned to suit.

    (Ioffe & Szegedy 2015, algorithm 1.) A feature is an index of the last axis; the others are the places where it is
    seen: M = N for rows (N, D), M = N·H·W for pictures (N, H, W, C). For one feature, with i over its M places:

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

    In training, μ and the unbiased variance M/(M−1) (σ² − ε) also go into running averages, and these stand in for
    them afterwards: an image's result then does not depend on which others are in its batch, and the layer is one
    multiply-add, y = x · (γ/σ) + (β − μ γ/σ).

    Frozen (see `Layer.freeze`), the layer has the running averages in training too. Then μ and σ are constants: x_i
    acts on L through its own c_i alone, steps 1 and 3 fall away, and with them what was subtracted. What is left is

        dx_i = (γ/σ) dy_i        with dγ and dβ as above, x̂ being made with the running μ and σ

    A bias in the layer before has no effect: μ takes it out. A single place (M = 1) has no variance: its y is β, and
    the running averages stay as they are.

    Parameters: gamma (C,), beta (C,). Buffers: running_mean (C,), running_var (C,).
    """

    kind: ClassVar[str] = "batch_norm"

    def __init__(
        self, input_shape: Shape, *, momentum: float = 0.9, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        """Make a layer that passes its input through, until it is trained.

        Args:
            input_shape: (D,), or (H, W, C).
            momentum: How much of a running average is kept at each step, 0.9: about the last ten batches count.
                (PyTorch's momentum is 1 minus this one.)
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
        self.features, self.places = input_shape[-1], prod(input_shape[:-1])
        self.gamma = Parameter(np.ones(self.features, dtype))
        self.beta = Parameter(np.zeros(self.features, dtype))
        self.running_mean: Array = np.zeros(self.features, dtype)
        self.running_var: Array = np.ones(self.features, dtype)
        self.parameters = {"gamma": self.gamma, "beta": self.beta}
        self.buffers = {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: Array, *, training: bool = False) -> Array:
        """y = γ (x − μ) / σ + β, with the batch's μ and σ in training, else the running ones."""
        rows = x.reshape(len(x), self.places * self.features)  # (N, H·W·C)
        y = self.scratch("y", x.shape)
        if training:
            rows = self._center(rows, spare=y.reshape(rows.shape))
            scale: Array = self.gamma.value / self.sigma
            shift: Array = self.beta.value
        else:
            # Made anew at each call, C numbers each: the weights may have changed since, and to look would cost more.
            scale, shift = self._running()
        out = np.multiply(rows, self._wide("scale", scale), out=y.reshape(rows.shape))
        out += self._wide("shift", shift)
        return y

    def compile(self, x: Array) -> tuple[Array, list[Step]]:
        """y = x · (γ / σ) + (β − μ γ / σ): one factor and one offset for each feature."""
        y = self.scratch("y", x.shape)
        rows, out = (array.reshape(len(x), self.places * self.features) for array in (x, y))
        scale, shift = self._running()
        scale, shift = self._wide("scale", scale).copy(), self._wide("shift", shift).copy()
        return y, [partial(np.multiply, rows, scale, out=out), partial(np.add, out, shift, out=out)]

    def backward(self, dy: Array, *, need_dx: bool = True) -> Array | None:
        """dγ = Σ dy x̂, dβ = Σ dy, dx = (γ/σ) (dy − dβ / M − x̂ dγ / M), where x̂ = c / σ; frozen, dx = (γ/σ) dy."""
        c, sigma = self.c, self.sigma  # (N, H·W·C), (C,)
        dy_rows = dy.reshape(c.shape)
        dx = self.scratch("dx", dy.shape)
        out = np.multiply(dy_rows, c, out=dx.reshape(c.shape))
        np.divide(self._sum(out), sigma, out=self.gamma.grad)
        self.beta.grad[...] = self._sum(dy_rows)
        if not need_dx:
            return None
        if self.frozen:
            np.multiply(dy_rows, self._wide("scale", self.gamma.value / sigma), out=out)
            return dx
        m = len(c) * self.places
        np.multiply(c, self._wide("scale", self.gamma.grad / (m * sigma)), out=out)  # x̂ dγ / M
        np.subtract(dy_rows, out, out=out)
        out -= self._wide("shift", self.beta.grad / m)
        out *= self._wide("scale", self.gamma.value / sigma)
        return dx

    def _running(self) -> tuple[Array, Array]:
        """γ / σ and β − μ γ / σ with the running μ and σ, (C,) each."""
        scale: Array = self.gamma.value / np.sqrt(self.running_var + self.eps)
        return scale, self.beta.value - self.running_mean * scale

    def _center(self, rows: Array, spare: Array) -> Array:
        """c = x − μ; keeps c and σ for the backward pass, and follows them with the running averages."""
        if self.frozen:
            centered: Array = np.subtract(
                rows, self._wide("shift", self.running_mean), out=self.scratch("c", rows.shape)
            )
            self.c, self.sigma = centered, np.sqrt(self.running_var + self.eps)
            return centered
        m = len(rows) * self.places
        mean = self._sum(rows) / m
        c: Array = np.subtract(rows, self._wide("shift", mean), out=self.scratch("c", rows.shape))
        variance = self._sum(np.multiply(c, c, out=spare)) / m
        self.c, self.sigma = c, np.sqrt(variance + self.eps)
        if m > 1:
            self._follow(self.running_mean, mean)
            self._follow(self.running_var, variance * (m / (m - 1)))
        return c

    def _follow(self, average: Array, value: Array) -> None:
        average *= self.momentum  # in place: replicas read the same array
        average += (1 - self.momentum) * value

    def _sum(self, rows: Array) -> Array:
        """Each feature's sum over all its places, (N, H·W·C) → (C,).

        As a matrix product with a row of ones, because BLAS adds down the columns of a narrow matrix ten times faster
        than `np.sum` does, and with smaller rounding errors.
        """
        places = rows.reshape(-1, self.features)  # (N·H·W, C)
        ones = self.scratch("ones", (len(places),))
        ones.fill(1)
        total: Array = ones @ places
        return total

    def _wide(self, name: str, values: Array) -> Array:
        """A number for each feature, repeated for each pixel, (C,) → (H·W·C,).

        The same as broadcasting (C,) against (N, H, W, C), but NumPy's inner loop then runs over a whole picture, not
        over C numbers: five times faster with 8 channels.
        """
        if self.places == 1:
            return values
        wide = self.scratch(name, (self.places, self.features))
        wide[...] = values
        return wide.reshape(-1)
