"""13: dropout, judged by the shares and the sizes of its mask."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import Case, FunctionCheck, Slip, require_untouched
from exercises.learners_file import call, function_of
from exercises.verdict import WrongError

__all__ = ["BACKWARD", "forward"]

Array = NDArray[Any]

P = 0.2
SHAPE = (300, 200)


def forward(names: Mapping[str, Any]) -> None:
    """Check training and use.

    Raises:
        WrongError: The mask or the output is not what it should be.
    """
    function = function_of(names, "dropout")
    x = np.random.default_rng(1).normal(size=SHAPE) + 3
    rng = np.random.default_rng(13)
    y, m = _call(function, x, rng, training=True)
    _judge_mask(m)
    if not np.allclose(y, x * m, rtol=1e-9):  # noqa: TID251 — a product, rounded once
        raise _wrong("y is not x · m with the mask m that is returned: was it drawn twice?", "two masks", "y")
    _, again = _call(function, x, rng, training=True)
    if np.array_equal(m, again):
        raise _wrong(
            "Every call has the same mask: the generator must go on. Use `rng`, and make none of your own.", "same mask"
        )
    if not np.array_equal(m, _call(function, x, np.random.default_rng(13), training=True)[1]):
        raise _wrong(
            "The mask does not come from `rng`, the generator that is given: a training could not be repeated.",
            "global generator",
        )
    y, m = _call(function, x, rng, training=False)
    if np.allclose(y, x * (1 - P)):  # noqa: TID251 — a product, rounded once
        raise _wrong(
            "In use, y is x (1 − p), as in the first form of dropout. Here the mask has made up for it in training: "
            "in use y = x.",
            "scaled in use",
            "y",
        )
    if not np.array_equal(y, x) or not (np.asarray(m) == 1).all():
        raise _wrong("In use (training=False) nothing is dropped: y is x, and m is all ones.", "dropped in use", "y")
    single = x.astype(np.float32)
    y, m = _call(function, single, rng, training=True)
    if y.dtype != np.float32:
        raise _wrong(
            f"For x in float32, your y is {y.dtype}: the mask is {m.dtype}, and so is a product with it. "
            "`.astype(x.dtype)` helps.",
            "dtype",
            "y",
        )


def _call(function: Any, x: Array, rng: np.random.Generator, *, training: bool) -> tuple[Array, Array]:
    given = {"x": x.copy(), "p": P, "rng": rng, "training": training}
    result = call("dropout", function, given, keywords=("training",))
    require_untouched("dropout", {"x": x}, given)
    if not isinstance(result, tuple) or len(result) != 2:
        raise _wrong("dropout is to return two arrays, y and the mask m.")
    for name, array in zip(("y", "m"), result, strict=True):
        if not isinstance(array, np.ndarray) or array.shape != x.shape:
            found = f"of the shape {array.shape}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
            raise _wrong(f"Your {name} is {found}, expected an array in the shape of x, {x.shape}.", output=name)
    return result


def _judge_mask(m: Array) -> None:
    m = np.asarray(m, float)
    zeros = float((m == 0).mean())
    kept = np.unique(m[m != 0])
    if np.ptp((m == 0).mean(axis=1)) == 1 or np.ptp((m == 0).mean(axis=0)) == 1:
        raise _wrong(
            "The mask drops whole rows or columns at once: every number of x has its own chance.", "whole rows"
        )
    if abs(zeros - (1 - P)) < 0.02:
        raise _wrong(
            f"{zeros:.0%} of the numbers are dropped, and {1 - zeros:.0%} kept: p = {P} is the probability to be "
            "dropped.",
            "p reversed",
        )
    if abs(zeros - P) > 0.02:
        raise _wrong(f"{zeros:.0%} of the numbers are dropped, expected p = {P:.0%}.", "share")
    if len(kept) > 1:
        raise _wrong("The numbers of the mask that are not 0 differ: each is 1 / (1 − p).", "uneven mask")
    if kept[0] == 1:
        raise _wrong(
            "What is kept is not scaled: the mask has 1 where it should have 1 / (1 − p). The next layer would see "
            "less in training than in use.",
            "not scaled",
        )
    if abs(kept[0] - 1 / P) < 1e-3:
        raise _wrong("What is kept is divided by p: it is divided by 1 − p, the share that is kept.", "divided by p")
    if abs(kept[0] - (1 - P)) < 1e-3:
        raise _wrong("What is kept is multiplied by 1 − p: it is divided by it.", "multiplied")
    if abs(kept[0] - 1 / (1 - P)) > 1e-3:
        raise _wrong(f"What is kept is multiplied by {kept[0]:.6g}, expected 1 / (1 − p) = {1 / (1 - P):.6g}.")


def _wrong(sentence: str, slip: str = "", output: str = "m") -> WrongError:
    return WrongError(sentence, function="dropout", output=output, slips=[slip] if slip else [])


_rng = np.random.default_rng(14)
_mask = (_rng.random((8, 6)) > 0.5) * 2.0
_dy = _rng.normal(size=(8, 6))

BACKWARD = FunctionCheck(
    "dropout_backward",
    ("dx",),
    [Case("a batch of 8", {"dy": _dy, "m": _mask}), Case("", {"dy": _dy, "m": _mask}).in_single_precision()],
    lambda dy, m: dy * m,
    [
        Slip(
            "no mask",
            "dx",
            lambda dy, m: dy,
            "Your dx is dy: the mask is missing. What was dropped had no effect, so its gradient is 0.",
        ),
        Slip(
            "not scaled",
            "dx",
            lambda dy, m: dy * (m > 0),
            "The gradient is stopped where it should be, but not scaled: dx = dy · m, and m holds the factor 1 / (1 "
            "− p).",
        ),
        Slip("divided", "dx", lambda dy, m: np.divide(dy, m), "Your dx is dy / m: it is dy · m."),
    ],
)
