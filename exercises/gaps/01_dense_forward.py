"""The dense layer, forward: y = x W + b. Every output is a weighted sum of all inputs.

A batch has N inputs of I numbers each, x (N, I). The layer has a weight for each pair of an input i and an output j,
W (I, J), and a bias for each output, b (J,):

    y[n, j] = Σ_i x[n, i] W[i, j] + b[j]

The sum over i is a row of x times a column of W: for all n and j at once, it is the product of two matrices.

In core: `dense` in core/plain.py, `Dense` in core/nn/dense.py.
"""

import numpy as np


def dense(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x (N, I), W (I, J), b (J,) → y (N, J)."""
    raise NotImplementedError  # your code
