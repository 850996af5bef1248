"""Momentum: a ball that rolls down the slope, instead of a walker who starts anew at every step.

    b ← μ b + g        gathers the gradients of about the last 1/(1 − μ) steps
    w ← w − η b

Unrolled, b = g_t + μ g_{t−1} + μ² g_{t−2} + …: a gradient that always points the same way adds up to g / (1 − μ), ten
times g with μ = 0.9; one that changes its sign at every step, as across a narrow valley, nearly cancels.

In core: `Momentum` in core/optim/optimizers.py (Polyak 1964). The convention is that of `torch.optim.SGD(momentum=μ)`.
"""

import numpy as np


def momentum(w: np.ndarray, g: np.ndarray, b: np.ndarray, rate: float, mu: float) -> tuple[np.ndarray, np.ndarray]:
    """w, g and b of one shape, η and μ → the new w and the new b, new arrays."""
    b = mu * b + g
    return w - rate * b, b
