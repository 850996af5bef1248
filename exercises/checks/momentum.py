"""10: one step with momentum, from a state that is not zero."""

import numpy as np

from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["MOMENTUM"]

_w, _g, _b = np.random.default_rng(10).normal(size=(3, 3, 4))

_momentum = {"w": _w, "g": _g, "b": _b, "rate": 0.2, "mu": 0.9}
_first = {"w": _w, "g": _g, "b": np.zeros_like(_w), "rate": 0.2, "mu": 0.9}

MOMENTUM = FunctionCheck(
    "momentum",
    ("w", "b"),
    [
        Case("a step in the middle of a training", _momentum),
        Case("the first step, with b = 0", _first),
        Case("", _momentum).in_single_precision(),
    ],
    lambda w, g, b, rate, mu: (w - rate * (mu * b + g), mu * b + g),
    [
        Slip(
            "w of the old b",
            "w",
            lambda w, g, b, rate, mu: w - rate * b,
            "w is moved by the old b: first b ← μ b + g, then w ← w − η b with the new one.",
        ),
        Slip(
            "w uphill",
            "w",
            lambda w, g, b, rate, mu: w + rate * (mu * b + g),
            "The step goes uphill, w + η b: subtract it.",
        ),
        Slip(
            "w without momentum",
            "w",
            lambda w, g, b, rate, mu: w - rate * g,
            "w is moved by g alone, as without momentum: the step is η b.",
        ),
        Slip(
            "w without rate",
            "w",
            lambda w, g, b, rate, mu: w - (mu * b + g),
            "w is moved by b without the learning rate: the step is η b.",
        ),
        Slip(
            "w of sign",
            "w",
            lambda w, g, b, rate, mu: w - rate * (mu * b - g),
            "The gradient enters with the wrong sign: yours goes on with μ b − g. It is b ← μ b + g, and then w ← w "
            "− η b.",
        ),
        Slip(
            "w of b sign",
            "w",
            lambda w, g, b, rate, mu: w - rate * (g - mu * b),
            "The momentum has the wrong sign: yours goes on with g − μ b, which brakes. It is b ← μ b + g.",
        ),
        Slip(
            "w nesterov",
            "w",
            lambda w, g, b, rate, mu: w - rate * (g + mu * (mu * b + g)),
            "Yours is Nesterov's momentum, which moves w by g + μ b. A good rule, but another one: here the step is "
            "η b.",
        ),
        Slip(
            "w of a mean",
            "w",
            lambda w, g, b, rate, mu: w - rate * (mu * b + (1 - mu) * g),
            "The gradient enters b as (1 − μ) g, as in a running mean, which makes steps 1/(1 − μ) times smaller: b "
            "← μ b + g.",
        ),
        Slip(
            "w of μ alone",
            "w",
            lambda w, g, b, rate, mu: w - rate * (b + g),
            "b is never forgotten: yours goes on with b + g, the μ is missing. b ← μ b + g.",
        ),
        Slip(
            "w of η g in b",
            "w",
            lambda w, g, b, rate, mu: w + (mu * b - rate * g),
            "Your b holds steps, μ b − η g, and w + b uses them: the other convention, in which η enters b. Here b "
            "gathers gradients: b ← μ b + g, w ← w − η b.",
        ),
        Slip(
            "w twice",
            "w",
            lambda w, g, b, rate, mu: w - rate * (mu * b + rate * g),
            "The learning rate is multiplied in twice: once in b, once in the step. b ← μ b + g is without it.",
        ),
        Slip(
            "b sign",
            "b",
            lambda w, g, b, rate, mu: mu * b - g,
            "b has the gradient with the wrong sign: b ← μ b + g, and w ← w − η b subtracts.",
        ),
        Slip(
            "b momentum sign",
            "b",
            lambda w, g, b, rate, mu: g - mu * b,
            "b has the momentum with the wrong sign: b ← μ b + g.",
        ),
        Slip(
            "b of a mean",
            "b",
            lambda w, g, b, rate, mu: mu * b + (1 - mu) * g,
            "b takes (1 − μ) g, as a running mean does: b ← μ b + g.",
        ),
        Slip("b without μ", "b", lambda w, g, b, rate, mu: b + g, "b forgets nothing: the μ is missing. b ← μ b + g."),
        Slip(
            "b old",
            "b",
            lambda w, g, b, rate, mu: b,
            "The b that is returned is the old one: return the new b too, as the next step begins with it.",
        ),
        Slip("b is g", "b", lambda w, g, b, rate, mu: g, "Your b is g: what it has gathered so far, μ b, is missing."),
        Slip(
            "b of steps",
            "b",
            lambda w, g, b, rate, mu: mu * b - rate * g,
            "Your b holds steps, μ b − η g, the other convention. Here b gathers gradients: b ← μ b + g.",
        ),
        Slip(
            "b with rate",
            "b",
            lambda w, g, b, rate, mu: mu * b + rate * g,
            "The learning rate has entered b. b ← μ b + g is without it.",
        ),
    ],
)
