"""06: the learner's own gradient check."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["CHECKS"]

Array = NDArray[Any]

_rng = np.random.default_rng(6)


def _cubes(x: Array) -> float:
    return float((x**3).sum())


def _waves(x: Array) -> float:
    return float(np.sin(x).sum() * x.flat[0])


def _central(f: Any, x: Array, h: float) -> Array:
    return _each(x, lambda e: (f(x + h * e) - f(x - h * e)) / (2 * h))


def _each(x: Array, slope: Any) -> Array:
    found = np.zeros(x.size)
    for index in range(x.size):
        found[index] = slope(np.eye(x.size)[index].reshape(x.shape))
    return found.reshape(x.shape)


NUMERICAL = FunctionCheck(
    "numerical_gradient",
    ("gradient",),
    [
        Case("f = Σ x³", {"f": _cubes, "x": _rng.normal(size=5) + 2, "h": 1e-3}),
        Case("a matrix", {"f": _waves, "x": _rng.normal(size=(3, 4)), "h": 1e-4}),
        Case("a picture, (N, H, W, C)", {"f": _waves, "x": _rng.normal(size=(1, 2, 3, 2)), "h": 1e-4}),
    ],
    _central,
    [
        Slip(
            "forward difference",
            "gradient",
            lambda f, x, h: _each(x, lambda e: (f(x + h * e) - f(x)) / h),
            "Yours is the forward difference, (f(x + h) − f(x)) / h, which is off by about h. The central one is off "
            "by h²: (f(x + h) − f(x − h)) / 2h.",
        ),
        Slip(
            "backward difference",
            "gradient",
            lambda f, x, h: _each(x, lambda e: (f(x) - f(x - h * e)) / h),
            "Yours is the backward difference, which is off by about h. The central one is off by h²: (f(x + h) − "
            "f(x − h)) / 2h.",
        ),
        Slip(
            "no 2",
            "gradient",
            lambda f, x, h: 2 * _central(f, x, h),
            "Yours is exactly 2 times too large: the two points lie 2h apart, and not h.",
        ),
        Slip(
            "precedence",
            "gradient",
            lambda f, x, h: 2 * h * h * _central(f, x, h) / 2,
            "`/ 2 * h` divides by 2 and then multiplies by h: parentheses, / (2 * h).",
        ),
        Slip(
            "sign",
            "gradient",
            lambda f, x, h: -_central(f, x, h),
            "Yours has the wrong sign: f(x + h) − f(x − h), in this order.",
        ),
        Slip(
            "all at once",
            "gradient",
            lambda f, x, h: np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h)),
            "All numbers of x were changed at once, which gives the sum of all slopes. Change one, and leave the "
            "others.",
        ),
        Slip(
            "one array",
            "gradient",
            lambda f, x, h: np.zeros_like(x),
            "Yours is 0 everywhere: the two points are one and the same array. `up = x` copies nothing, x.copy() does.",
        ),
        Slip(
            "not divided",
            "gradient",
            lambda f, x, h: 2 * h * _central(f, x, h),
            "The difference was not divided by 2h.",
        ),
        Slip(
            "not restored",
            "gradient",
            lambda f, x, h: _not_restored(f, x, h),
            "The change of one number is still there when the next one is looked at. Work with copies of x, or "
            "restore it.",
        ),
    ],
    tolerance=1e-7,
    restored=1e-12,  # what rounding leaves of + h − 2h + h
)


def _not_restored(f: Any, x: Array, h: float) -> Array:
    x, found = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        found[index] = (up - f(x)) / (2 * h)
    return found


def _error(a: Array, n: Array) -> float:
    size = np.linalg.norm(a) + np.linalg.norm(n)
    return float(np.linalg.norm(a - n) / size) if size else 0.0


_a = _rng.normal(size=(3, 4))

RELATIVE = FunctionCheck(
    "relative_error",
    ("error",),
    [
        Case("two gradients", {"a": _a, "n": _a + 0.1}),
        Case("opposite gradients, whose error is 1", {"a": _a, "n": -_a}),
        Case("equal gradients", {"a": _a, "n": _a.copy()}),
        Case("two gradients that are zero", {"a": np.zeros(3), "n": np.zeros(3)}),
    ],
    _error,
    [
        Slip(
            "zero by zero",
            "error",
            lambda a, n: np.divide(np.linalg.norm(a - n), np.linalg.norm(a) + np.linalg.norm(n)),
            "Where both gradients are zero, yours is 0/0, not a number: they are equal, so the error is 0.",
        ),
        Slip(
            "absolute error",
            "error",
            lambda a, n: np.linalg.norm(a - n),
            "Yours is the absolute error: it is not divided by ‖a‖ + ‖n‖, so small gradients seem right whatever "
            "they are.",
        ),
        Slip(
            "norm of the sum",
            "error",
            lambda a, n: np.linalg.norm(a - n) / np.linalg.norm(a + n),
            "Yours divides by ‖a + n‖, which is 0 for opposite gradients: divide by ‖a‖ + ‖n‖.",
        ),
        Slip(
            "by one alone",
            "error",
            lambda a, n: np.linalg.norm(a - n) / np.linalg.norm(n),
            "Yours divides by ‖n‖ alone: divide by ‖a‖ + ‖n‖, so that neither comes first.",
        ),
        Slip(
            "by a alone",
            "error",
            lambda a, n: np.linalg.norm(a - n) / np.linalg.norm(a),
            "Yours divides by ‖a‖ alone: divide by ‖a‖ + ‖n‖, so that neither comes first.",
        ),
        Slip(
            "number by number",
            "error",
            lambda a, n: np.abs(a - n) / (np.abs(a) + np.abs(n)),
            "Yours is an error for each number. The norms are of whole arrays: one number.",
        ),
        Slip(
            "squares",
            "error",
            lambda a, n: ((a - n) ** 2).sum() / ((a**2).sum() + (n**2).sum()),
            "Yours takes squares of norms: ‖a‖ = √Σ a², the root is missing.",
        ),
    ],
    tolerance=1e-9,
)

CHECKS = (NUMERICAL, RELATIVE)
