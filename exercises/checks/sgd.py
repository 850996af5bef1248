"""08: one step of gradient descent."""

import numpy as np

from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["SGD"]

_rng = np.random.default_rng(8)
_w, _g = _rng.normal(size=(2, 3, 4))

_sgd = {"w": _w, "g": _g, "rate": 0.1}
_three_axes = {"w": _rng.normal(size=(2, 3, 4)), "g": _rng.normal(size=(2, 3, 4)), "rate": 0.03}

SGD = FunctionCheck(
    "sgd",
    ("w",),
    [Case("η = 0.1", _sgd), Case("an array of three axes", _three_axes), Case("", _sgd).in_single_precision()],
    lambda w, g, rate: w - rate * g,
    [
        Slip(
            "uphill",
            "w",
            lambda w, g, rate: w + rate * g,
            "The step goes uphill, w + η g: the gradient points to where the loss grows, so it is subtracted.",
        ),
        Slip("no rate", "w", lambda w, g, rate: w - g, "The step is g, without the learning rate: w − η g."),
        Slip(
            "rate squared",
            "w",
            lambda w, g, rate: w - rate**2 * g,
            "The step is η² g: the learning rate is multiplied in twice.",
        ),
        Slip(
            "rate divides",
            "w",
            lambda w, g, rate: w - g / rate,
            "The step is g / η: the learning rate multiplies, and does not divide.",
        ),
        Slip("step alone", "w", lambda w, g, rate: -rate * g, "Yours is the step −η g alone: it is added to w."),
        Slip(
            "decay", "w", lambda w, g, rate: (1 - rate) * w - rate * g, "w itself shrinks as well, by 1 − η: w − η g."
        ),
        Slip(
            "unchanged",
            "w",
            lambda w, g, rate: w,
            "Your w is the old one: the step was computed, but what is returned is w as it was.",
        ),
    ],
)
