"""Softmax: from any real numbers z to probabilities p, positive numbers that sum to 1.

    p[n, k] = exp(z[n, k]) / Σ_j exp(z[n, j])        row by row, as each row is one image

exp(z) overflows float64 from z = 710 on, and float32 from 89 on. But a number c that is subtracted from all z of a row
changes nothing, as exp(z − c) = exp(z) / exp(c), and exp(c) cancels out of the fraction. With c the largest z of the
row, the largest exponent is 0, and exp never exceeds 1.

In core: within `softmax_cross_entropy` in core/plain.py, `softmax` in core/nn/losses.py.
"""

import numpy as np


def softmax(z: np.ndarray) -> np.ndarray:
    """z (N, K) → p (N, K), for z as large as they like."""
    raise NotImplementedError  # your code
