"""Dropout: in training, every number is set to 0 with probability p, so that no unit can rely on another.

    y = x · m        each number of the mask m is 0 with probability p, else 1 / (1 − p)

The factor keeps the mean: E[m] = p · 0 + (1 − p) / (1 − p) = 1. So the next layer sees the same mean in training and in
use, and in use nothing is left to do: y = x. For a given mask the layer is a product, so dx = dy · m, with that mask.

In core: `Dropout` in core/nn/dropout.py (Srivastava et al. 2014, §10: "inverted").
"""

import numpy as np


def dropout(x: np.ndarray, p: float, rng: np.random.Generator, *, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """x of any shape, 0 ≤ p < 1 → y and the mask m, both in the shape of x. In use (not training), m is all ones."""
    raise NotImplementedError  # your code


def dropout_backward(dy: np.ndarray, m: np.ndarray) -> np.ndarray:
    """dy and the mask of the forward pass → dx."""
    raise NotImplementedError  # your code
