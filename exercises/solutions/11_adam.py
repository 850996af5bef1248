"""Adam: momentum, and for every weight a step in units of its own gradients.

    m ← β₁ m + (1 − β₁) g         a running mean of g
    v ← β₂ v + (1 − β₂) g²        a running mean of g²
    m̂ = m / (1 − β₁ᵗ)             v̂ = v / (1 − β₂ᵗ)             t = 1 at the first step
    w ← w − η m̂ / (√v̂ + ε)

Why the hats: m begins with 0. After t steps with gradients of one mean E[g], m = (1 − β₁) Σ_s β₁^(t−s) g_s has the mean
(1 − β₁) (1 + β₁ + … + β₁^(t−1)) E[g] = (1 − β₁ᵗ) E[g]. It is too small by that factor, at the first step ten times with
β₁ = 0.9, and v a thousand times with β₂ = 0.999. m and v are kept without hats: the mean goes on with them.

In core: `Adam` in core/optim/optimizers.py (Kingma & Ba 2015, algorithm 1).
"""

import numpy as np


def adam(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """w, g, m and v of one shape; the number of this step, from 1; η → the new w, m and v, new arrays."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - rate * m_hat / (np.sqrt(v_hat) + eps), m, v
