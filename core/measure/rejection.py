"""Rejection: whether an image shows a digit at all, as a probability, and from where on a version says so.

A network trained with `core.nn.losses.OpenSetCrossEntropy` has learned the log-odds that an image shows a digit: the
energy. What it has learned is biased by how many images without a digit were trained on and by overfitting, as its
confidence is. So two numbers are fitted on images that did not train it, as the temperature is.
"""

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Rejection, Share
from core.inference.answers import digitness, energy
from core.measure.evaluate import Accuracy

REFUSED_DIGITS = 0.0005
"""The largest share of the digits at hand that the threshold may refuse. Of the test images, which are odder, it
refuses two or three times as many, and that should cost far fewer right answers than misreading does (0.4%).
"""

HIGHEST_THRESHOLD = 0.5
"""What is more likely a digit than not is never refused."""

_FLATTEST = 1e-3
"""The smallest scale, for energies with a standard deviation of 1. Trained networks need 1 to 10; one that takes others
for digits more than digits themselves would need a negative scale, and with this one finds all images alike.
"""

_MOST_STEPS = 100
"""Of Newton's method, which needs about ten."""


def fit_rejection(digit_logits: NDArray[np.floating], other_logits: NDArray[np.floating]) -> Rejection:
    """Fit the digitness, and choose the threshold below which an image is rejected.

    The digitness p = σ(a E + b) is fitted by Platt scaling (Platt 1999, "Probabilistic Outputs for Support Vector
    Machines", §2.1): the scale a and the offset b minimize the cross-entropy

        L(a, b) = −Σ_n w_n (t_n log p_n + (1 − t_n) log (1 − p_n))

    Both groups weigh ½, however many images they hold, since no data set knows what users will send. The targets are
    Platt's (§2.2): not 1 and 0 but (N₊ + 1) / (N₊ + 2) for the N₊ digits and 1 / (N₋ + 2) for the N₋ others, so that
    the best scale is finite even where one energy parts the two groups. L is convex, and Newton's method finds its
    minimum, with halved steps where a whole one would not lower L (Lin, Lin & Weng 2007, "A Note on Platt's
    Probabilistic Outputs for Support Vector Machines").

    The threshold is the highest that refuses at most `REFUSED_DIGITS` of the digits, and at most `HIGHEST_THRESHOLD`.

    Args:
        digit_logits: (N₊, K), of images that show a digit; N₊ and N₋ are at least 1.
        other_logits: (N₋, K), of images that show none. Neither trained the network.
    """
    digits, others = energy(digit_logits), energy(other_logits)
    scale, offset = _platt(digits, others)
    found = np.sort(_sigmoid(scale * digits + offset))
    threshold = min(HIGHEST_THRESHOLD, float(found[int(REFUSED_DIGITS * len(found))]))
    return Rejection(scale=scale, offset=offset, threshold=max(threshold, float(np.finfo(np.float32).tiny)))


def share_rejected(logits: NDArray[np.floating], rejection: Rejection) -> Share:
    """The share of images (N, K), N at least 1, that are rejected, with its 95% Wilson interval."""
    found = Accuracy.of(digitness(logits, rejection) < rejection.threshold)
    return Share(count=found.count, share=found.accuracy, interval=found.interval)


def _platt(digits: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """Scale and offset from the energies of both groups."""
    E = np.concatenate([digits, others])
    sizes = [len(digits), len(others)]
    t = np.repeat([(len(digits) + 1) / (len(digits) + 2), 1 / (len(others) + 2)], sizes)
    w = np.repeat([1 / (2 * size) for size in sizes], sizes)
    center, spread = E.mean(), E.std() or 1.0
    e, one = (E - center) / spread, np.ones_like(E)
    a, b = _minimum(np.stack([e, one]), np.zeros_like(E), t, w)
    if a < _FLATTEST:  # as L is convex, the best of the scales that are allowed is the smallest
        a, (b,) = _FLATTEST, _minimum(one[np.newaxis], _FLATTEST * e, t, w)
    return float(a / spread), float(b - a * center / spread)


def _minimum(
    X: NDArray[np.float64], x0: NDArray[np.float64], t: NDArray[np.float64], w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The v (D,) that minimizes L for the log-odds x = x₀ + v X, by Newton's method.

    With p = σ(x), the slope of L is X (w (p − t)), and its second derivative X diag(w p (1 − p)) Xᵀ.

    Args:
        X: (D, N).
        x0: (N,), the part of the log-odds that is given.
        t: (N,), the targets, above 0 and below 1.
        w: (N,), the weights.
    """

    def loss(v: NDArray[np.float64]) -> float:
        x = x0 + v @ X
        return float(w @ (np.logaddexp(0, x) - t * x))  # −t log p − (1 − t) log (1 − p)

    v = np.zeros(len(X))
    for _ in range(_MOST_STEPS):
        p = _sigmoid(x0 + v @ X)
        slope = X @ (w * (p - t))
        step = np.linalg.solve((X * (w * p * (1 - p))) @ X.T + 1e-12 * np.eye(len(X)), slope)
        rate = 1.0
        while loss(v - rate * step) > loss(v) and rate > 1e-10:
            rate /= 2
        if rate * np.abs(step).max() < 1e-12:
            break
        v = v - rate * step
    return v


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """σ(x) = ½ (1 + tanh(x / 2)) would lose what is below 10⁻¹⁶; exp of −|x| neither loses it nor overflows."""
    small = np.exp(-np.abs(x))
    probabilities: NDArray[np.float64] = np.where(x >= 0, 1, small) / (1 + small)
    return probabilities
