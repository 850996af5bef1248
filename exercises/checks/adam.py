"""11: one step of Adam, from a state that is not zero."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["ADAM"]

Array = NDArray[Any]

_rng = np.random.default_rng(11)
_w, _g, _m = _rng.normal(size=(3, 3, 4))
_v = _rng.uniform(0.1, 1, (3, 4))

_adam = {"w": _w, "g": _g, "m": _m, "v": _v, "t": 3, "rate": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-3}


def _mv(g: Array, m: Array, v: Array, beta1: float, beta2: float) -> tuple[Array, Array]:
    return beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2


def _hats(g: Array, m: Array, v: Array, t: int, beta1: float, beta2: float) -> tuple[Array, Array]:
    m, v = _mv(g, m, v, beta1, beta2)
    with np.errstate(all="ignore"):  # t − 1 = 0
        return m / np.float64(1 - beta1**t), v / np.float64(1 - beta2**t)


def _w_adam(w: Array, rate: float, m: Array, v: Array, eps: float) -> Array:
    return w - rate * m / (np.sqrt(v) + eps)


ADAM = FunctionCheck(
    "adam",
    ("w", "m", "v"),
    [
        Case("the third step", _adam),
        Case("the first step, with m = v = 0", _adam | {"m": np.zeros_like(_w), "v": np.zeros_like(_w), "t": 1}),
        Case("", _adam).in_single_precision(),
    ],
    lambda w, g, m, v, t, rate, beta1, beta2, eps: (
        _w_adam(w, rate, *_hats(g, m, v, t, beta1, beta2), eps),
        *_mv(g, m, v, beta1, beta2),
    ),
    [
        Slip(
            "no bias correction",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(w, rate, *_mv(g, m, v, beta1, beta2), eps),
            "The bias correction is missing: w is moved with m and v, and not with m̂ = m / (1 − β₁ᵗ) and v̂ = v / "
            "(1 − β₂ᵗ).",
        ),
        Slip(
            "m without correction",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(
                w, rate, _mv(g, m, v, beta1, beta2)[0], _hats(g, m, v, t, beta1, beta2)[1], eps
            ),
            "The bias correction of m is missing: w is moved with m, and not with m̂ = m / (1 − β₁ᵗ). That of v is "
            "right.",
        ),
        Slip(
            "v without correction",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(
                w, rate, _hats(g, m, v, t, beta1, beta2)[0], _mv(g, m, v, beta1, beta2)[1], eps
            ),
            "The bias correction of v is missing: w is moved with v, and not with v̂ = v / (1 − β₂ᵗ). That of m is "
            "right.",
        ),
        Slip(
            "t − 1",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(w, rate, *_hats(g, m, v, t - 1, beta1, beta2), eps),
            "The power of the bias correction is t − 1: t is 1 at the first step, so it is βᵗ.",
        ),
        Slip(
            "t + 1",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(w, rate, *_hats(g, m, v, t + 1, beta1, beta2), eps),
            "The power of the bias correction is t + 1: t is 1 at the first step, so it is βᵗ.",
        ),
        Slip(
            "β times t",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(
                w,
                rate,
                _mv(g, m, v, beta1, beta2)[0] / (1 - beta1 * t),
                _mv(g, m, v, beta1, beta2)[1] / (1 - beta2 * t),
                eps,
            ),
            "The bias correction multiplies β by t: it is the power, beta1**t.",
        ),
        Slip(
            "correction without t",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(w, rate, *_hats(g, m, v, 1, beta1, beta2), eps),
            "The bias correction is 1 − β at every step: it is 1 − βᵗ, which comes near 1.",
        ),
        Slip(
            "no root",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: (
                w - rate * _hats(g, m, v, t, beta1, beta2)[0] / (_hats(g, m, v, t, beta1, beta2)[1] + eps)
            ),
            "The root is missing: the step is m̂ / (√v̂ + ε).",
        ),
        Slip(
            "ε in the root",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: (
                w - rate * _hats(g, m, v, t, beta1, beta2)[0] / np.sqrt(_hats(g, m, v, t, beta1, beta2)[1] + eps)
            ),
            "ε stands within the root, √(v̂ + ε): here it is outside, √v̂ + ε, as in the paper and in PyTorch.",
        ),
        Slip(
            "uphill",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: (
                2 * w - _w_adam(w, rate, *_hats(g, m, v, t, beta1, beta2), eps)
            ),
            "The step goes uphill: w − η m̂ / (√v̂ + ε).",
        ),
        Slip(
            "g instead of m",
            "w",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _w_adam(w, rate, g, _hats(g, m, v, t, beta1, beta2)[1], eps),
            "The step is made of g, and not of m̂: the momentum is missing (this would be RMSprop).",
        ),
        Slip(
            "m corrected for ever",
            "m",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _hats(g, m, v, t, beta1, beta2)[0],
            "The m that is returned is m̂. The mean goes on with m itself, so keep m̂ in a variable of its own.",
        ),
        Slip(
            "m swapped",
            "m",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: (1 - beta1) * m + beta1 * g,
            "β₁ and 1 − β₁ have changed places in m: most of it, β₁, is what m was.",
        ),
        Slip(
            "m of β₂",
            "m",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta2 * m + (1 - beta2) * g,
            "m is made with β₂: it has β₁.",
        ),
        Slip(
            "m is a sum",
            "m",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta1 * m + g,
            "m takes all of g, as momentum does; here it is a mean: (1 − β₁) g.",
        ),
        Slip(
            "v corrected for ever",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: _hats(g, m, v, t, beta1, beta2)[1],
            "The v that is returned is v̂. The mean goes on with v itself, so keep v̂ in a variable of its own.",
        ),
        Slip(
            "v of g",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta2 * v + (1 - beta2) * g,
            "v takes g: it is the mean of g², the square is missing.",
        ),
        Slip(
            "v of m",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta2 * v + (1 - beta2) * _mv(g, m, v, beta1, beta2)[0] ** 2,
            "v takes m²: it is the mean of g².",
        ),
        Slip(
            "v swapped",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: (1 - beta2) * v + beta2 * g**2,
            "β₂ and 1 − β₂ have changed places in v: most of it, β₂, is what v was.",
        ),
        Slip(
            "v of β₁",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta1 * v + (1 - beta1) * g**2,
            "v is made with β₁: it has β₂.",
        ),
        Slip(
            "v is a sum",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: v + g**2,
            "v forgets nothing, it only grows (as in AdaGrad); here it is a running mean: β₂ v + (1 − β₂) g².",
        ),
        Slip(
            "v squared outside",
            "v",
            lambda w, g, m, v, t, rate, beta1, beta2, eps: beta2 * v + ((1 - beta2) * g) ** 2,
            "The factor 1 − β₂ is squared as well: (1 − β₂) g².",
        ),
    ],
)
