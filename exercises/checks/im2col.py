"""15: convolution as a product of matrices, and its gradients."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.plain import conv2d, conv2d_backward
from exercises.checks.convolution import arguments
from exercises.function_check import NUMERICAL, Case, FunctionCheck, Slip
from exercises.numerical import gradient

__all__ = ["AS_PRODUCT"]

Array = NDArray[Any]

_rng = np.random.default_rng(15)


def _im2col(x: Array, k: int) -> Array:
    """(N, OH, OW, k, k, C)."""
    return np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)


def _rows(P: Array) -> Array:
    return P.reshape(np.prod(P.shape[:3]), -1)


def _backward_arguments(N: int, H: int, width: int, C: int, k: int, O: int) -> dict[str, Any]:  # noqa: E741 — as above
    given = arguments(N, H, width, C, k, O)
    return {"x": given["x"], "dy": _rng.normal(size=(N, H - k + 1, width - k + 1, O)), "W": given["W"]}


def _last_write_wins(x: Array, dy: Array, W: Array) -> Array:
    k, dx = len(W), np.zeros_like(x)
    dP = np.tensordot(dy, W, axes=(3, 3))  # (N, OH, OW, k, k, C)
    for u, v in np.ndindex(k, k):
        dx[:, u : u + dy.shape[1], v : v + dy.shape[2]] = dP[:, :, :, u, v]
    return dx


_patches = _rng.normal(size=(2, 5, 4, 3))
_ordinary, _backward = arguments(2, 6, 5, 2, 3, 4), _backward_arguments(2, 6, 5, 2, 3, 4)
_PIXELS = {"N": 2, "M": 2 * 4 * 3}

AS_PRODUCT = (
    FunctionCheck(
        "im2col",
        ("P",),
        [
            Case("pictures of 5 × 4 pixels, k = 3", {"x": _patches, "k": 3}),
            Case("k = 1", {"x": _patches, "k": 1}),
            Case("", {"x": _patches, "k": 3}).in_single_precision(),
        ],
        lambda x, k: _rows(_im2col(x, k)),
        [
            Slip(
                "channels first",
                "P",
                lambda x, k: _rows(_im2col(x, k).transpose(0, 1, 2, 5, 3, 4)),
                "The numbers of each patch come channel by channel, (c, u, v). They are in the order of W's axes, "
                "(u, v, c).",
            ),
            Slip(
                "u and v",
                "P",
                lambda x, k: _rows(_im2col(x, k).swapaxes(3, 4)),
                "Within each patch, rows and columns have changed places, (v, u, c): the order is (u, v, c).",
            ),
            Slip(
                "patch order",
                "P",
                lambda x, k: _rows(_im2col(x, k).swapaxes(1, 2)),
                "The patches come column by column, (n, j, i): the order is (n, i, j).",
            ),
            Slip(
                "positions first",
                "P",
                lambda x, k: _rows(_im2col(x, k).transpose(1, 2, 0, 3, 4, 5)),
                "The patches come position by position, (i, j, n), and not picture by picture: the order is (n, i, j).",
            ),
            Slip(
                "transposed",
                "P",
                lambda x, k: _rows(_im2col(x, k)).T,
                "P is transposed: every patch is a row, (N·OH·OW, k·k·C).",
            ),
            Slip(
                "not flat",
                "P",
                lambda x, k: _im2col(x, k),
                "The patches are right, but P is not a matrix yet: reshape it to (N·OH·OW, k·k·C).",
            ),
        ],
    ),
    FunctionCheck(
        "conv2d",
        ("y",),
        [
            Case("pictures of 6 × 5 pixels", _ordinary),
            Case("a kernel of one pixel", arguments(1, 3, 4, 2, 1, 3)),
            Case("", _ordinary).in_single_precision(),
        ],
        conv2d,
        [
            Slip("no bias", "y", lambda x, W, b: conv2d(x, W, 0 * b), "The bias b is missing."),
            Slip(
                "not a picture",
                "y",
                lambda x, W, b: conv2d(x, W, b).reshape(-1, len(b)),
                "y is still a matrix, (N·OH·OW, O): reshape it to (N, OH, OW, O).",
            ),
            Slip(
                "channels first",
                "y",
                lambda x, W, b: (
                    conv2d(x, W, b).reshape(-1, len(b)).T.reshape(len(x), x.shape[1] - len(W) + 1, -1, len(b))
                ),
                "y was transposed before it was reshaped, so its numbers are in the wrong places: the columns of P W "
                "are the channels already.",
            ),
        ],
    ),
    FunctionCheck(
        "conv2d_backward",
        ("dx", "dW", "db"),
        [
            Case("pictures of 6 × 5 pixels", _backward, _PIXELS),
            Case("a kernel of one pixel", _backward_arguments(1, 3, 4, 2, 1, 3)),
            Case("", _backward, _PIXELS).in_single_precision(),
        ],
        lambda x, dy, W: (
            gradient(lambda x: conv2d(x, W, np.zeros(W.shape[3])), x, dy),
            gradient(lambda W: conv2d(x, W, np.zeros(W.shape[3])), W, dy),
            gradient(lambda b: conv2d(x, W, b), np.zeros(W.shape[3]), dy),
        ),
        [
            Slip(
                "dx overwritten",
                "dx",
                _last_write_wins,
                "In your dx, the patches overwrite each other: a pixel stands in up to k·k patches, and its gradient "
                "is the sum over all of them, `+=` in place of `=`.",
            ),
            Slip(
                "dx mirrored",
                "dx",
                lambda x, dy, W: conv2d_backward(x, dy, W[::-1, ::-1], np.zeros(W.shape[3]))[0],
                "In your dx, the kernel is mirrored: dP[(n, i, j), (u, v, c)] goes to the pixel (i + u, j + v).",
            ),
            Slip(
                "dx averaged",
                "dx",
                lambda x, dy, W: conv2d_backward(x, dy, W, np.zeros(W.shape[3]))[0] / len(x),
                "Your dx is exactly {N} times too small: {N} is the size of the batch. The mean's 1/N is in dy "
                "already.",
            ),
            Slip(
                "dW a matrix",
                "dW",
                lambda x, dy, W: conv2d_backward(x, dy, W, np.zeros(W.shape[3]))[1]["W"].reshape(-1, W.shape[3]),
                "Your dW is still a matrix, (k·k·C, O): reshape it to the shape of W.",
            ),
            Slip(
                "dW transposed",
                "dW",
                lambda x, dy, W: (
                    conv2d_backward(x, dy, W, np.zeros(W.shape[3]))[1]["W"].reshape(-1, W.shape[3]).T.reshape(W.shape)
                ),
                "Your dW is dyᵀ P, the transpose of Pᵀ dy, reshaped: its numbers are in the wrong places.",
            ),
            Slip(
                "dW averaged",
                "dW",
                lambda x, dy, W: conv2d_backward(x, dy, W, np.zeros(W.shape[3]))[1]["W"] / len(x),
                "Your dW is exactly {N} times too small: {N} is the size of the batch. The mean's 1/N is in dy "
                "already.",
            ),
            Slip(
                "db over the batch",
                "db",
                lambda x, dy, W: dy.sum(axis=0),
                "Your db sums over the batch alone: a bias acts on every pixel too, so sum over n, i and j.",
            ),
            Slip(
                "db mean",
                "db",
                lambda x, dy, W: dy.mean(axis=(0, 1, 2)),
                "Your db is exactly {M} times too small: {M} is the number of all output pixels of the batch. It is "
                "their sum, and not their mean.",
            ),
            Slip(
                "db total",
                "db",
                lambda x, dy, W: dy.sum(),
                "Your db is one number: sum over n, i and j, and leave the channels.",
            ),
        ],
        NUMERICAL,
    ),
)
