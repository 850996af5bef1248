"""ReLU, forward and backward: y = max(x, 0), number by number.

Without a nonlinear function between them, two dense layers are no more than one: (x W₁) W₂ = x (W₁ W₂).

The slope of y is 1 where x > 0 and 0 where x < 0. At x = 0 there is none; 0 is taken. By the chain rule

    dx = dy · [x > 0]        with [x > 0] = 1 where x > 0, else 0

In core: `relu` and `relu_backward` in core/plain.py, `ReLU` in core/nn/activation.py.
"""

import numpy as np


def relu(x: np.ndarray) -> np.ndarray:
    """x of any shape → y of the same shape. x itself stays as it is."""
    raise NotImplementedError  # your code


def relu_backward(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """x and dy of one shape → dx of the same shape."""
    raise NotImplementedError  # your code
