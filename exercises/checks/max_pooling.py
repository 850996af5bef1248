"""16: the gradient of max pooling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.plain import maxpool2d, maxpool2d_backward
from exercises.function_check import NUMERICAL, Case, FunctionCheck, Slip
from exercises.numerical import gradient

__all__ = ["BACKWARD"]

Array = NDArray[Any]

_rng = np.random.default_rng(16)
_x, _dy = _rng.permutation(2 * 4 * 6 * 3).reshape(2, 4, 6, 3) / 10, _rng.normal(size=(2, 2, 3, 3))


def _right(x: Array, dy: Array) -> Array:
    return maxpool2d_backward(x, dy)[0]


def _spread(x: Array, values: Array) -> Array:
    """Every output's value at all four numbers of its window; 0 where there is no window."""
    wide = values.repeat(2, axis=1).repeat(2, axis=2)
    return np.pad(wide, ((0, 0), (0, x.shape[1] - wide.shape[1]), (0, x.shape[2] - wide.shape[2]), (0, 0)))


def _all_maxima(x: Array, dy: Array) -> Array:
    found: Array = _spread(x, dy) * (x == _spread(x, maxpool2d(x)))
    return found


def _shared(x: Array, dy: Array) -> Array:
    largest = (x == _spread(x, maxpool2d(x))).astype(float)
    rows, columns = dy.shape[1] * 2, dy.shape[2] * 2
    count = largest[:, :rows, :columns].reshape(len(x), dy.shape[1], 2, dy.shape[2], 2, -1).sum(axis=(2, 4))
    return _all_maxima(x, dy / count)


def _last(x: Array, dy: Array) -> Array:
    rows, columns = dy.shape[1] * 2, dy.shape[2] * 2
    found = np.zeros_like(x)
    turned = _right(x[:, :rows, :columns][:, ::-1, ::-1], dy[:, ::-1, ::-1])
    found[:, :rows, :columns] = turned[:, ::-1, ::-1]
    return found


_ties = np.array([[1.0, 1, 0, 5], [1, 0, 5, 5], [2, 2, 3, 1], [2, 2, 1, 3]]).reshape(1, 4, 4, 1)

BACKWARD = FunctionCheck(
    "maxpool2d_backward",
    ("dx",),
    [
        Case("pictures of 4 × 6 pixels", {"x": _x, "dy": _dy}),
        Case(
            "several numbers of a window that are equally large",
            {"x": _ties, "dy": np.array([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1)},
            expected=_right,
        ),
        Case("negative pictures, and zeros outside of the windows", {"x": -1 - _x, "dy": _dy}),
        Case(
            "an odd last row and column",
            {"x": _rng.permutation(50).reshape(1, 5, 5, 2) / 10, "dy": _rng.normal(size=(1, 2, 2, 2))},
        ),
        Case("", {"x": _x, "dy": _dy}).in_single_precision(),
    ],
    lambda x, dy: gradient(maxpool2d, x, dy),
    [
        Slip(
            "all of the window",
            "dx",
            lambda x, dy: _spread(x, dy),
            "Every number of a window gets the gradient. Only the largest one moves y; that of the others is 0.",
        ),
        Slip(
            "quarter",
            "dx",
            lambda x, dy: _spread(x, dy) / 4,
            "Every number of a window gets a quarter of the gradient: that is average pooling. The largest one gets "
            "all of it.",
        ),
        Slip(
            "all maxima",
            "dx",
            _all_maxima,
            "Where several numbers of a window are equally large, all of them get the whole gradient, which is then "
            "counted several times: only the first one, row by row, gets it.",
        ),
        Slip(
            "shared",
            "dx",
            _shared,
            "Where several numbers of a window are equally large, they share the gradient. Here the first one, row "
            "by row, gets all of it, as in PyTorch.",
        ),
        Slip(
            "last maximum",
            "dx",
            _last,
            "Where several numbers of a window are equally large, the last one gets the gradient: it is the first "
            "one, row by row.",
        ),
        Slip(
            "maximum itself",
            "dx",
            lambda x, dy: _all_maxima(x, maxpool2d(x)),
            "The largest number itself stands where its gradient should: dy.",
        ),
        Slip(
            "mask alone",
            "dx",
            lambda x, dy: _all_maxima(x, np.ones_like(dy)),
            "Yours marks the largest numbers with 1: the chain rule multiplies by dy.",
        ),
    ],
    NUMERICAL,
)
