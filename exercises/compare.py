"""Two arrays that should be one: how far they are apart, and in which way."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEANING", "difference", "relative_error"]

Array = NDArray[Any]

MEANING = {
    "N": "the size of the batch",
    "I": "the number of inputs",
    "J": "the number of outputs",
    "K": "the number of classes",
    "D": "the number of features",
    "M": "the number of all output pixels of the batch",
}
"""The sizes that a wrong factor is compared with."""


def relative_error(found: Array, expected: Array) -> float:
    """The largest difference, relative to the largest number; 0 for equal arrays, and infinite where one is not finite.

    Infinities and NaN that are the same in both arrays do not count: so two computations that overflow are equal.
    """
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    if same.all():
        return 0.0
    if not (np.isfinite(found) | same).all() or not (np.isfinite(expected) | same).all():
        return float("inf")
    left, right = found[~same], expected[~same]
    finite = np.abs(np.concatenate([found[np.isfinite(found)], expected[np.isfinite(expected)]]))
    return float(np.abs(left - right).max() / finite.max())


def difference(name: str, found: Array, expected: Array, reference: str, sizes: Mapping[str, int], tol: float) -> str:
    """One sentence about two different arrays of which the shape may differ, too.

    Args:
        name: What they are, e.g. "dW".
        found: The learner's.
        expected: What it should be.
        reference: What `expected` is, e.g. "the numerical gradient".
        sizes: The sizes of the case, by their letters: a factor may be one of them.
        tol: The relative error that is allowed.
    """
    if found.shape != expected.shape:
        return _shapes(name, found, expected)
    if not np.isfinite(found).all() and np.isfinite(expected).all():
        index = tuple(np.argwhere(~np.isfinite(found))[0])
        place = _place(name, index)
        return f"Your {name} contains {found[index]}, first at {place}, where {expected[index]:.6g} is right."
    if sentence := _factor(name, found, expected, sizes, tol):
        return sentence
    if found.ndim == 2 and found.shape[0] == found.shape[1] and relative_error(found.T, expected) <= tol:
        return f"Your {name} is transposed: rows and columns have changed places."
    wrong = np.abs(found - expected) > tol * np.abs(expected).max(initial=0)
    wrong = wrong if wrong.any() else found != expected
    index = tuple(np.argwhere(wrong)[0])
    count = f"{wrong.sum()} of its {wrong.size} numbers are" if wrong.ndim else "it is"
    where = f"The first: {_place(name, index)}" if wrong.ndim else "It"
    return f"Your {name}: {count} wrong. {where} is {found[index]:.6g}, {reference} is {expected[index]:.6g}."


def _shapes(name: str, found: Array, expected: Array) -> str:
    said = f"Your {name} has the shape {found.shape}, expected {expected.shape}"
    if not expected.ndim:
        return f"Your {name} has the shape {found.shape}, expected one number: is a sum or a mean missing?"
    if found.ndim > 1 and found.shape == expected.shape[::-1]:
        return f"{said}: it is transposed."
    if found.ndim > expected.ndim and found.shape[1:] == expected.shape:
        return f"{said}: the sum over the first axis, the batch, is missing."
    if found.size == expected.size:
        return f"{said}: as many numbers, in another arrangement."
    return f"{said}."


def _factor(name: str, found: Array, expected: Array, sizes: Mapping[str, int], tol: float) -> str | None:
    """A sentence, if one array is a multiple of the other."""
    square = float((expected.astype(np.float64) ** 2).sum())
    ratio = float((found.astype(np.float64) * expected).sum()) / square if square else 0.0
    if not ratio:
        return f"Your {name} is 0 everywhere, and should not be." if not found.any() else None
    if expected.size < 2 and not any(_near(ratio, size) or _near(1 / ratio, size) for size in (1, 2, *sizes.values())):
        return None  # any two numbers are multiples of each other
    if relative_error(found / ratio, expected) > 10 * tol:
        return None
    if _near(ratio, -1):
        return f"Your {name} has the wrong sign, everywhere; its size is right."
    size, way = (abs(ratio), "large") if abs(ratio) > 1 else (1 / abs(ratio), "small")
    sign = ", and has the wrong sign" if ratio < 0 else ""
    for letter, value in sizes.items():
        if _near(size, value):
            why = "a mean's 1/N missing" if way == "large" else "there a 1/N or a mean too many"
            about = f"{value} is {MEANING[letter]}"
            return f"Your {name} is exactly {value} times too {way}{sign}: {about}. Is {why.replace('N', letter)}?"
    return f"Your {name} is {size:.6g} times too {way}{sign}, everywhere; all else about it is right."


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * abs(b)


def _place(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, index))}]"
