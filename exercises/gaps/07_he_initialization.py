"""He initialization: first weights that keep signals at their size, however many layers there are.

An output is y = Σ_i W_i x_i, a sum of fan_in products. The weights are independent, with mean 0 and variance v, so
variances add up:

    Var(y) = fan_in · v · E[x²]

The x come out of a ReLU: of a symmetric distribution of variance s², it sets one half to 0 and keeps the other, so
E[x²] = s²/2. The size stays, Var(y) = s², if fan_in · v / 2 = 1:

    v = 2 / fan_in        the standard deviation is √v

Weights that are all equal would stay equal for ever, as their gradients are; so they are random, drawn from rng.

In core: `he` in core/plain.py, `he_normal` in core/nn/initializers.py (He et al. 2015, eq. 10).
"""

import numpy as np


def he(rng: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
    """→ W (fan_in, fan_out), normally distributed with mean 0 and variance 2 / fan_in."""
    raise NotImplementedError  # your code
