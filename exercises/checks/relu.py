"""03: ReLU."""

import numpy as np

from core.plain import relu, relu_backward
from exercises.function_check import NUMERICAL, Case, FunctionCheck, Slip
from exercises.numerical import gradient

__all__ = ["BACKWARD", "FORWARD"]

_rng = np.random.default_rng(3)
_x, _dy = _rng.normal(size=(32, 5)), _rng.normal(size=(32, 5))
_zeros = np.array([[0.0, -1.0, 2.0], [0.5, 0.0, 0.0]])
_pictures = _rng.normal(size=(2, 3, 3, 2))

FORWARD = FunctionCheck(
    "relu",
    ("y",),
    [
        Case("a batch of 32", {"x": _x}),
        Case("zeros among the inputs", {"x": _zeros}),
        Case("pictures, (N, H, W, C)", {"x": _pictures}),
        Case("", {"x": _x}).in_single_precision(),
    ],
    relu,
    [
        Slip("absolute", "y", lambda x: np.abs(x), "Yours is |x|: negative numbers become 0, not positive."),
        Slip(
            "mask",
            "y",
            lambda x: (x > 0).astype(float),
            "Yours is [x > 0], the slope of ReLU. y keeps x itself where x > 0.",
        ),
        Slip(
            "minimum",
            "y",
            lambda x: np.minimum(x, 0),
            "Yours keeps the negative numbers, min(x, 0). ReLU keeps the positive ones: max(x, 0).",
        ),
        Slip(
            "one maximum",
            "y",
            lambda x: np.max(x),
            "Yours is one number, the largest of x: np.max reduces an array, np.maximum compares number by number.",
        ),
        Slip("identity", "y", lambda x: x, "Your y is x itself: nothing was set to 0."),
    ],
)

BACKWARD = FunctionCheck(
    "relu_backward",
    ("dx",),
    [
        Case("a batch of 32", {"x": _x, "dy": _dy}),
        Case(
            "x = 0, where 0 is taken as the slope",
            {"x": _zeros, "dy": np.arange(1.0, 7).reshape(2, 3)},
            expected=lambda x, dy: relu_backward(x, dy)[0],
        ),
        Case("pictures, (N, H, W, C)", {"x": _pictures, "dy": _rng.normal(size=_pictures.shape)}),
        Case("", {"x": _x, "dy": _dy}).in_single_precision(),
    ],
    lambda x, dy: gradient(relu, x, dy),
    [
        Slip(
            "mask of dy",
            "dx",
            lambda x, dy: dy * (dy > 0),
            "The mask is taken from dy: where dy is negative, dx became 0. It belongs to the input: [x > 0].",
        ),
        Slip(
            "no mask",
            "dx",
            lambda x, dy: dy,
            "Your dx is dy, everywhere: the mask [x > 0] is missing, which stops the gradient where ReLU gave 0.",
        ),
        Slip(
            "slope alone",
            "dx",
            lambda x, dy: (x > 0).astype(float),
            "Your dx is the slope [x > 0] alone. The chain rule multiplies it by dy.",
        ),
        Slip(
            "x instead of slope",
            "dx",
            lambda x, dy: dy * np.maximum(x, 0),
            "Your dx is dy times y. The chain rule takes dy times the slope of y, which is [x > 0].",
        ),
        Slip(
            "at zero",
            "dx",
            lambda x, dy: dy * (x >= 0),
            "At x = 0 the gradient passes: the mask is [x ≥ 0]. ReLU has no derivative there; 0 is taken, so [x > 0].",
        ),
        Slip(
            "mask reversed",
            "dx",
            lambda x, dy: dy * (x <= 0),
            "The mask is reversed: the gradient passes where x > 0, yours where it is not.",
        ),
    ],
    NUMERICAL,
)
