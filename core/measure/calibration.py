"""Calibration: one number, the temperature, that makes predictions of 80% confidence correct 80% of the time."""

import numpy as np
from numpy.typing import NDArray

from core.nn.losses import softmax

_COLDEST, _HOTTEST = 0.05, 20.0
"""The bounds of T. Trained networks need 0.5 to 3."""

_HALVINGS = 50
"""Of the range of log T, which is 6 wide: to the precision of float64, in a tenth of a second for 5,000 images."""


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature T that maximizes the likelihood of the labels under softmax(z / T) (Guo et al. 2017, §4.2).

    T > 1 tempers a network that is overconfident, T < 1 sharpens one that is underconfident. No prediction moves to
    another class, as the largest logit stays the largest. So the temperature can be fitted on the validation images
    after training without a change of the accuracy. With b = 1/T, the mean negative log-likelihood of the true classes
    t and its slope are

        L(b) = mean_n (log Σ_k exp(b z[n, k]) − b z[n, t_n])        L′(b) = mean_n (Σ_k p[n, k] z[n, k] − z[n, t_n])

    L″ is the mean variance of z under p = softmax(b z), which is never negative: L is convex, L′ increases, and the
    minimum is where it passes 0. Bisection finds it, whatever the logits are.

    Args:
        logits: z, (N, K), finite; of images that did not train the network.
        labels: t, (N,), integers from 0 to K − 1.

    Returns:
        T, from 0.05 to 20. It is 1 if every image is classified correctly: the likelihood then grows without end as T
        falls, and images without a mistake cannot tell how confident the network should be.
    """
    z = logits.astype(np.float64)  # L′ is a small difference of two means, which float32 would lose
    z -= z.max(axis=1, keepdims=True)  # cancels in p, and makes 0 the largest of each row
    true = z[np.arange(len(z)), labels]  # (N,)
    if not true.any():
        return 1.0
    cold, hot = _COLDEST, _HOTTEST
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(cold * hot))
        expected = (softmax(z / middle) * z).sum(axis=1)  # Σ_k p[n, k] z[n, k], (N,)
        if (expected - true).mean() > 0:  # L increases at this b, so the minimum has a smaller b and a higher T
            cold = middle
        else:
            hot = middle
    return float(np.sqrt(cold * hot))
