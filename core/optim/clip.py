"""Clipping: a gradient that is too long is shortened before the optimizer sees it."""

from math import isfinite, sqrt

import numpy as np

from core.nn.layer import Parameter
from core.optim.require import require


def gradient_norm(parameter: Parameter) -> float:
    """‖g‖, the Euclidean length of the gradient; for a network's whole `vector` it is called the global norm.

    It is not finite if a number in g is not.
    """
    g = parameter.grad.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = sqrt(np.dot(g, g))
    if isfinite(norm):
        return norm
    largest = float(np.abs(g).max())  # g² overflows float32 from about 2·10¹⁹ on; (g / largest)² does not
    return largest * sqrt(float(np.square(g / largest, dtype=np.float64).sum())) if isfinite(largest) else largest


def clip_by_norm(parameter: Parameter, limit: float) -> float:
    """g ← g · min(1, limit / ‖g‖): shorter, in the same direction (Pascanu, Mikolov & Bengio 2013, algorithm 1).

    One steep batch then moves the weights no further than `limit` times the learning rate. `clip_grad_norm_` of PyTorch
    does the same, but divides by ‖g‖ + 10⁻⁶.

    Returns:
        ‖g‖ before clipping. If it is not finite, g has no direction to keep, and is left as it is.

    Raises:
        ConfigError: `limit` is not a positive number.
    """
    require(limit > 0 and isfinite(limit), "clip_by_norm", "limit", limit, "a finite number above 0")
    norm = gradient_norm(parameter)
    if limit < norm and isfinite(norm):
        parameter.grad *= limit / norm
    return norm


def clip_by_value(parameter: Parameter, limit: float) -> None:
    """g ← min(limit, max(−limit, g)), number by number. This turns the gradient towards its smaller components.

    Raises:
        ConfigError: `limit` is not a positive number.
    """
    require(limit > 0 and isfinite(limit), "clip_by_value", "limit", limit, "a finite number above 0")
    np.clip(parameter.grad, -limit, limit, out=parameter.grad)
