"""Initial weights. Randomness is an argument; nothing here keeps state."""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from core.nn.layer import Array, Shape

Initializer = Callable[[np.random.Generator, Shape, int, int, DTypeLike], Array]
"""(rng, shape, fan_in, fan_out, dtype) → an array of that shape and dtype."""


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """Normal with variance 2 / fan_in (He et al. 2015, eq. 10), for layers that a ReLU follows.

    A sum of fan_in independent products has fan_in times their variance. ReLU then zeroes half of a symmetric
    distribution, which halves the second moment: 2 / fan_in keeps it the same from layer to layer.
    """
    weights: Array = (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(dtype)
    return weights


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """All zeros: right for biases, wrong for weights, whose units would all stay the same."""
    return np.zeros(shape, dtype)


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "zeros": zeros,
}
