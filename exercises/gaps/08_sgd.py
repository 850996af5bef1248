"""A step of gradient descent: w ← w − η g.

g = ∂L/∂w says in which direction the loss L grows fastest. To first order, a step d changes the loss by g · d, and of
all steps of one length, the one against g makes it fall most. The learning rate η says how far to go: too small takes
long, too large steps over the valley.

It is *stochastic* gradient descent where g comes from a small batch: an estimate of the gradient of all images.

In core: `step` in core/plain.py, `SGD` in core/optim/optimizers.py.
"""

import numpy as np


def sgd(w: np.ndarray, g: np.ndarray, rate: float) -> np.ndarray:
    """w and g of one shape, the learning rate η → the new w, a new array."""
    raise NotImplementedError  # your code
