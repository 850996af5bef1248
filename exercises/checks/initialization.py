"""07: first weights, judged by their mean and their variance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.learners_file import call, function_of
from exercises.verdict import WrongError

__all__ = ["he"]

Array = NDArray[Any]

FAN_IN, FAN_OUT = 400, 900
"""360,000 numbers: their variance is known to a quarter of a percent, one standard deviation."""

WRONG = {
    "variance for deviation": (
        (2 / FAN_IN) ** 2,
        "its standard deviation is 2 / fan_in. That is the variance; the deviation is its root.",
    ),
    "LeCun": (
        1 / FAN_IN,
        "its variance is 1 / fan_in (LeCun's, for layers without a ReLU). The 2 is missing, which makes up for the "
        "half that ReLU sets to 0.",
    ),
    "fan_out": (2 / FAN_OUT, "its variance is 2 / fan_out: an output is a sum of fan_in products."),
    "Glorot": (
        2 / (FAN_IN + FAN_OUT),
        "its variance is 2 / (fan_in + fan_out): that is Glorot's, for tanh. He's is 2 / fan_in.",
    ),
    "root of the whole": (
        1 / np.sqrt(FAN_IN) * np.sqrt(2),
        "its variance is √(2 / fan_in): the root was taken once too often.",
    ),
    "unit": (1.0, "its variance is 1, whatever the size of the layer: the factor √(2 / fan_in) is missing."),
    "product": (2 * FAN_IN, "its variance grows with fan_in: divide by it."),
    "uniform": (
        2 / FAN_IN / 3,
        "its variance is 2 / fan_in / 3: numbers drawn uniformly between −a and a have the variance a²/3. It is to "
        "be normally distributed.",
    ),
}
"""Name, variance, and how its sentence goes on, of each known slip."""


def he(names: Mapping[str, Any]) -> None:
    """Check shape, randomness, mean and variance.

    Raises:
        WrongError: One of them is not what it should be.
    """
    function = function_of(names, "he")
    rng = np.random.default_rng(7)
    W = call("he", function, {"rng": rng, "fan_in": FAN_IN, "fan_out": FAN_OUT})
    if not isinstance(W, np.ndarray):
        raise _wrong("None: is a `return` missing?" if W is None else f"a {type(W).__name__}, expected an array.")
    if W.shape != (FAN_IN, FAN_OUT):
        turned = " It is transposed." if W.shape == (FAN_OUT, FAN_IN) else ""
        raise _wrong(f"of the shape {W.shape}, expected (fan_in, fan_out) = {(FAN_IN, FAN_OUT)}.{turned}", "transposed")
    if not np.isfinite(W).all():
        raise _wrong("not finite everywhere.")
    again = call("he", function, {"rng": rng, "fan_in": FAN_IN, "fan_out": FAN_OUT})
    if np.array_equal(W, again):
        raise _wrong(
            "the same at every call: all layers would get the same numbers. Draw from `rng`, the generator that is "
            "given.",
            "same numbers",
        )
    repeated = call("he", function, {"rng": np.random.default_rng(7), "fan_in": FAN_IN, "fan_out": FAN_OUT})
    if not np.array_equal(W, repeated):
        raise _wrong(
            "not repeatable: it comes from a generator of its own. Draw from `rng`, the generator that is given.",
            "global generator",
        )
    _judge_numbers(W)


def _judge_numbers(W: Array) -> None:
    """Mean, variance, and the shape of the distribution."""
    right, variance = 2 / FAN_IN, float(W.var())
    if variance == 0:
        raise _wrong("one and the same number everywhere: units that begin alike stay alike for ever.", "constant")
    for name, (other, sentence) in WRONG.items():
        if abs(variance / other - 1) < 0.03:
            raise _wrong(f"not of the right size: {sentence}", name)
    if abs(variance / right - 1) > 0.03:
        raise _wrong(f"not of the right size: its variance is {variance:.4g}, expected 2 / fan_in = {right:.4g}.")
    if abs(W.mean()) > 5 * np.sqrt(right / W.size):
        raise _wrong(f"not centered: its mean is {W.mean():.4g}, expected about 0.", "mean")
    fourth = float((W**4).mean() / variance**2)
    if abs(fourth - 3) > 0.3:
        raise _wrong(
            "of the right variance, but not normally distributed: use rng.normal or rng.standard_normal.", "not normal"
        )


def _wrong(what: str, slip: str = "") -> WrongError:
    return WrongError(f"Your W is {what}", function="he", output="W", slips=[slip] if slip else [])
