"""Initial weights. Randomness is an argument; there is no state here.

An output is a sum of fan_in products. If its weights are drawn independently, with mean 0 and variance v, its variance
is fan_in · v times the mean square of the inputs; likewise a gradient on its way back, with fan_out. Each scheme below
chooses v so that signals neither fade nor blow up from layer to layer; they differ in the nonlinearity that they assume
after the layer, and in which of the two directions they consider.
"""

from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from core.errors import ArchitectureError
from core.kernels.arrays import Array, Shape

Initializer = Callable[[np.random.Generator, Shape, int, int, DTypeLike], Array]
"""(rng, shape, fan_in, fan_out, dtype) → an array of that shape and dtype."""


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """Normal with variance 2 / fan_in (He et al. 2015, eq. 10), for layers that a ReLU follows.

    A sum of fan_in independent products has fan_in times their variance. ReLU then zeroes half of a symmetric
    distribution, which halves the second moment: 2 / fan_in keeps it the same from layer to layer.
    """
    return _normal(rng, shape, 2 / fan_in, dtype)


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """Uniform with variance 2 / fan_in (He et al. 2015, eq. 10): as `he_normal`, without far outliers."""
    return _uniform(rng, shape, 2 / fan_in, dtype)


def glorot_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010, eq. 12), for tanh and linear layers.

    The forward pass needs 1 / fan_in, the backward pass 1 / fan_out: this lies between the two.
    """
    return _normal(rng, shape, 2 / (fan_in + fan_out), dtype)


def glorot_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:
    """Uniform up to ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16): the variance of `glorot_normal`."""
    return _uniform(rng, shape, 2 / (fan_in + fan_out), dtype)


def lecun_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """Normal with variance 1 / fan_in (LeCun, Bottou, Orr & Müller 1998, eq. 16), for tanh and linear layers."""
    return _normal(rng, shape, 1 / fan_in, dtype)


def orthogonal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """A random matrix with orthonormal columns, or rows if there are fewer of them (Saxe, McClelland & Ganguli 2014).

    It rotates and reflects but never stretches: any number of linear layers keeps lengths and angles as they are. The
    last axis is the columns; all axes before it together are the rows.
    """
    rows, columns = prod(shape[:-1]), shape[-1]
    draw = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw)
    # Q alone depends on the signs that the algorithm happened to choose for R. With R's diagonal made positive, it is
    # uniform over all orthogonal matrices (Mezzadri 2007).
    q *= np.copysign(1, np.diagonal(r))
    weights: Array = (q if rows >= columns else q.T).reshape(shape).astype(dtype)
    return weights


def normal(
    rng: np.random.Generator,
    shape: Shape,
    fan_in: int,  # noqa: ARG001 — one signature for all
    fan_out: int,  # noqa: ARG001
    dtype: DTypeLike,
    *,
    std: float = 0.01,
) -> Array:
    """Normal with one standard deviation for every layer, as was usual before the schemes above.

    Signals fade if std is far below 1 / √fan_in: fine for one or two layers, instructive in deeper networks.
    """
    return _normal(rng, shape, std**2, dtype)


def unit_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """Normal with standard deviation 1 for every layer, whatever its size: a lesson.

    Each layer multiplies the signals by about √fan_in, so that outputs, loss and gradients explode.
    """
    return _normal(rng, shape, 1.0, dtype)


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int, dtype: DTypeLike) -> Array:  # noqa: ARG001 — one signature for all
    """All zeros: right for biases, wrong for weights, whose units would all stay the same."""
    return np.zeros(shape, dtype)


def _normal(rng: np.random.Generator, shape: Shape, variance: float, dtype: DTypeLike) -> Array:
    weights: Array = (rng.standard_normal(shape) * np.sqrt(variance)).astype(dtype)
    return weights


def _uniform(rng: np.random.Generator, shape: Shape, variance: float, dtype: DTypeLike) -> Array:
    limit = np.sqrt(3 * variance)  # the variance from −a to a is a² / 3
    weights: Array = rng.uniform(-limit, limit, shape).astype(dtype)
    return weights


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
    "normal": normal,
    "unit_normal": unit_normal,
    "zeros": zeros,
}


def initial(
    kind: str, init: str, rng: np.random.Generator, shape: Shape, *, fan_in: int, fan_out: int, dtype: DTypeLike
) -> Array:
    """The first weights of a layer.

    Args:
        kind: The layer, for errors.
        init: A name in `INITIALIZERS`.
        rng: The source of random numbers.
        shape: Of the weights.
        fan_in: How many products each output is the sum of.
        fan_out: How many outputs each input contributes to.
        dtype: Of the weights.

    Raises:
        ArchitectureError: An unknown name.
    """
    if init not in INITIALIZERS:
        raise ArchitectureError(f"{kind}: unknown init {init!r}; known: {', '.join(INITIALIZERS)}")
    return INITIALIZERS[init](rng, shape, fan_in, fan_out, dtype)
