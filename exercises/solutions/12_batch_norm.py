"""Batch norm: every feature shifted and scaled to mean 0 and variance 1 over the batch, then to a learned β and γ.

For one feature (a column of x), with i over the N rows:

    μ = (1/N) Σ_i x_i      c_i = x_i − μ      σ = √((1/N) Σ_i c_i² + ε)      x̂_i = c_i / σ      y_i = γ x̂_i + β

Backward, from the end. The last line is a weighted sum:    dγ = Σ_i dy_i x̂_i      dβ = Σ_i dy_i      dx̂_i = γ dy_i
x_i acts on L in three ways: through its own c_i, and through σ and μ, which all rows share.

    1. σ:  dσ = Σ_i dx̂_i · (−c_i / σ²) = −(γ/σ) dγ,  and  ∂σ/∂c_i = c_i / (N σ) = x̂_i / N
    2. c:  dc_i = dx̂_i / σ + dσ x̂_i / N = (γ/σ) (dy_i − x̂_i dγ / N)
    3. μ:  ∂c_j/∂x_i = [i = j] − 1/N,  so  dx_i = dc_i − (1/N) Σ_j dc_j;  as Σ_j x̂_j = 0, that mean is (γ/σ) dβ / N

    dx_i = (γ/σ) (dy_i − dβ / N − x̂_i dγ / N)

In core: `BatchNorm` in core/nn/norm.py (Ioffe & Szegedy 2015), which also keeps running averages for use.
"""

import numpy as np


def batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    """x (N, D), gamma (D,), beta (D,) → y (N, D)."""
    c = x - x.mean(axis=0)
    sigma = np.sqrt((c**2).mean(axis=0) + eps)  # (D,)
    return gamma * c / sigma + beta


def batch_norm_backward(
    x: np.ndarray, dy: np.ndarray, gamma: np.ndarray, eps: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x (N, D), dy (N, D), gamma (D,) → dx (N, D), dgamma (D,), dbeta (D,)."""
    c = x - x.mean(axis=0)
    sigma = np.sqrt((c**2).mean(axis=0) + eps)
    x_hat = c / sigma
    dgamma = (dy * x_hat).sum(axis=0)
    dbeta = dy.sum(axis=0)
    dx = gamma / sigma * (dy - dbeta / len(x) - x_hat * dgamma / len(x))
    return dx, dgamma, dbeta
