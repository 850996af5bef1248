"""01 and 02: the dense layer."""

import numpy as np

from core.plain import dense
from exercises.function_check import NUMERICAL, Case, FunctionCheck, Slip
from exercises.numerical import gradient

__all__ = ["BACKWARD", "FORWARD"]

_rng = np.random.default_rng(1)


def _case(about: str, N: int, I: int, J: int, *, backward: bool) -> Case:  # noqa: E741 — the letters of the formulas
    x, W, b, dy = (_rng.normal(size=shape) for shape in ((N, I), (I, J), (J,), (N, J)))
    arguments = {"x": x, "dy": dy, "W": W} if backward else {"x": x, "W": W, "b": b}
    return Case(about, arguments, {"N": N, "I": I, "J": J})


def _cases(*, backward: bool) -> list[Case]:
    ordinary = _case("a batch of 32", 32, 5, 4, backward=backward)
    square = _case("as many rows as inputs and outputs, where every transpose fits", 6, 6, 6, backward=backward)
    one = _case("a batch of one row", 1, 3, 2, backward=backward)
    return [ordinary, square, one, ordinary.in_single_precision()]


FORWARD = FunctionCheck(
    "dense",
    ("y",),
    _cases(backward=False),
    dense,
    [
        Slip("no bias", "y", lambda x, W, b: x @ W, "Your y is x W: the bias b is missing."),
        Slip(
            "bias sign", "y", lambda x, W, b: x @ W - b, "The bias has the wrong sign: y = x W + b, yours is x W − b."
        ),
        Slip("transpose", "y", lambda x, W, b: x @ W.T + b, "W is transposed: y is x W + b, yours is x Wᵀ + b."),
        Slip(
            "bias by row",
            "y",
            lambda x, W, b: x @ W + b[:, np.newaxis],
            "Each row of y got one number of b. b has a number for each output, and is added to every row: x @ W + b.",
        ),
        Slip(
            "product of numbers",
            "y",
            lambda x, W, b: x * W + b,
            "`*` multiplies number by number; a product of matrices is `@`.",
        ),
    ],
)

BACKWARD = FunctionCheck(
    "dense_backward",
    ("dx", "dW", "db"),
    _cases(backward=True),
    lambda x, dy, W: (
        gradient(lambda x: dense(x, W, np.zeros(W.shape[1])), x, dy),
        gradient(lambda W: dense(x, W, np.zeros(W.shape[1])), W, dy),
        gradient(lambda b: dense(x, W, b), np.zeros(W.shape[1]), dy),
    ),
    [
        Slip(
            "dx transpose",
            "dx",
            lambda x, dy, W: dy @ W,
            "Your dx is dy W. dx[n, i] = Σ_j dy[n, j] W[i, j] sums over the columns of W: dy Wᵀ.",
        ),
        Slip(
            "dW transpose",
            "dW",
            lambda x, dy, W: dy.T @ x,
            "Your dW is transposed, dyᵀ x. dW[i, j] = Σ_n x[n, i] dy[n, j] has a row for each input: xᵀ dy.",
        ),
        Slip(
            "dW without transpose",
            "dW",
            lambda x, dy, W: x @ dy,
            "Your dW is x dy, which sums over columns of x. dW[i, j] = Σ_n x[n, i] dy[n, j] sums over the batch: xᵀ "
            "dy.",
        ),
        Slip(
            "dW mean",
            "dW",
            lambda x, dy, W: x.T @ dy / len(x),
            "Your dW is exactly {N} times too small: {N} is the size of the batch. The 1/N of the mean is in dy "
            "already, as the loss has put it there; here gradients are added up.",
        ),
        Slip(
            "db mean",
            "db",
            lambda x, dy, W: dy.mean(axis=0),
            "Your db is the mean over the batch, {N} times too small: db[j] = Σ_n dy[n, j] is the sum. The 1/N of "
            "the mean is in dy already.",
        ),
        Slip(
            "db without sum",
            "db",
            lambda x, dy, W: dy,
            "Your db is dy itself: the sum over the batch is missing. One number of b acts on all {N} rows, so db[j] "
            "= Σ_n dy[n, j].",
        ),
        Slip(
            "db wrong axis",
            "db",
            lambda x, dy, W: dy.sum(axis=1),
            "Your db sums over the outputs (axis 1), which leaves a number for each row. The sum over the batch is "
            "axis 0.",
        ),
        Slip(
            "db total",
            "db",
            lambda x, dy, W: dy.sum(),
            "Your db is one number, the sum of all of dy. Sum over the batch alone (axis=0): b has {J} numbers.",
        ),
        Slip(
            "db keeps axis",
            "db",
            lambda x, dy, W: dy.sum(axis=0, keepdims=True),
            "Your db keeps the axis of the batch, with one row: b has the shape ({J},), so leave `keepdims` out.",
        ),
    ],
    NUMERICAL,
)
