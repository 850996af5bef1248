"""14: convolution as loops."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.plain import conv2d
from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["AS_LOOPS", "arguments"]

Array = NDArray[Any]

_rng = np.random.default_rng(14)


def arguments(N: int, H: int, width: int, C: int, k: int, O: int) -> dict[str, Any]:  # noqa: E741 — as in the formulas
    """Pictures (N, H, width, C), a kernel of k × k pixels for O channels, and its bias."""
    return {"x": _rng.normal(size=(N, H, width, C)), "W": _rng.normal(size=(k, k, C, O)), "b": _rng.normal(size=O)}


def _padded(x: Array, before: int, after: int) -> Array:
    return np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))


def _strided(x: Array, W: Array, b: Array, padding: int, stride: int) -> Array:
    """As it should be: the outputs of stride 1, of which every stride-th is taken."""
    return conv2d(_padded(x, padding, padding), W, b)[:, ::stride, ::stride]


def _start_without_stride(x: Array, W: Array, b: Array, padding: int, stride: int) -> Array:
    right = _strided(x, W, b, padding, stride)
    return _strided(x, W, b, padding, 1)[:, : right.shape[1], : right.shape[2]]


_plain = arguments(2, 6, 5, 2, 3, 4) | {"padding": 0, "stride": 1}

AS_LOOPS = FunctionCheck(
    "conv2d",
    ("y",),
    [
        Case("padding 0 and stride 1", _plain),
        Case("padding 1", arguments(2, 5, 6, 1, 3, 2) | {"padding": 1, "stride": 1}),
        Case("stride 2", arguments(2, 7, 9, 2, 3, 2) | {"padding": 0, "stride": 2}),
        Case("stride 2, which does not come out even", arguments(1, 8, 6, 1, 3, 1) | {"padding": 0, "stride": 2}),
        Case("padding 2 and stride 3", arguments(1, 8, 7, 2, 3, 2) | {"padding": 2, "stride": 3}),
        Case("a kernel of one pixel", arguments(1, 3, 3, 2, 1, 3) | {"padding": 0, "stride": 1}),
        Case("", _plain).in_single_precision(),
    ],
    _strided,
    [
        Slip(
            "no bias",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W, 0 * b, padding, stride),
            "The bias b is missing.",
        ),
        Slip(
            "mirrored",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W[::-1, ::-1], b, padding, stride),
            "The kernel is mirrored (the mathematicians' convolution): W[u, v] meets X[i·s + u, j·s + v], both "
            "running forward.",
        ),
        Slip(
            "kernel transposed",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W.transpose(1, 0, 2, 3), b, padding, stride),
            "The kernel's rows and columns have changed places: W[u, v] meets X[i·s + u, j·s + v].",
        ),
        Slip(
            "no padding",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W, b, 0, stride),
            "x was not padded: the output lacks what the windows over the frame of zeros see.",
        ),
        Slip(
            "padding on one side",
            "y",
            lambda x, W, b, padding, stride: conv2d(_padded(x, 0, padding), W, b)[:, ::stride, ::stride],
            "x was padded at its end only: zeros go to both sides, np.pad with (padding, padding).",
        ),
        Slip(
            "padding before",
            "y",
            lambda x, W, b, padding, stride: conv2d(_padded(x, padding, 0), W, b)[:, ::stride, ::stride],
            "x was padded at its beginning only: zeros go to both sides, np.pad with (padding, padding).",
        ),
        Slip(
            "no stride",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W, b, padding, 1),
            "The stride has no effect: with stride s, the window moves by s, and there are (H + 2·padding − k) // s "
            "+ 1 rows.",
        ),
        Slip(
            "window without stride",
            "y",
            _start_without_stride,
            "The output has the right shape, but the windows begin at i and j: with stride s they begin at i·s and "
            "j·s.",
        ),
        Slip(
            "one window too few",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W, b, padding, stride)[:, :-1, :-1],
            "The last window is missing: there are (H + 2·padding − k) // s + 1 of them, and the + 1 is missing.",
        ),
        Slip(
            "row missing",
            "y",
            lambda x, W, b, padding, stride: _strided(x, W, b, padding, stride)[:, :-1],
            "The last row of windows is missing: there are (H + 2·padding − k) // s + 1.",
        ),
        Slip(
            "one channel",
            "y",
            lambda x, W, b, padding, stride: conv2d(_padded(x, padding, padding)[..., :1], W[:, :, :1], b)[
                :, ::stride, ::stride
            ],
            "Only the first channel of x is used: sum over c as well.",
        ),
    ],
)
