"""The forward pass of each kind of layer as a list of calls, for a network that is not trained any more.

A forward pass decides at every call which arrays to take and what a kernel sees. Here all of that is decided once, and
what is left are NumPy calls with all of their arguments. To lay out a new kind of layer, register a function for it;
without one, the layer's own `forward` is called.
"""

from functools import partial, singledispatch

import numpy as np

from core.kernels.arrays import Array, Step
from core.kernels.convolution import convolve_steps
from core.kernels.elementwise import zeros_for
from core.kernels.pooling import max_pool_steps, pad
from core.kernels.product import product_steps
from core.kernels.sums import repeated
from core.nn.activation import ReLU
from core.nn.chain import Chain
from core.nn.conv import Conv2D
from core.nn.dense import Dense
from core.nn.dropout import Dropout
from core.nn.ensemble import Ensemble
from core.nn.flatten import Flatten
from core.nn.layer import Layer
from core.nn.norm import BatchNorm
from core.nn.pool import MaxPool2D

LaidOut = tuple[Array, list[Step]]
"""Where y will be, (N, *output_shape), C-contiguous; and the calls that compute it, in order."""


@singledispatch
def lay_out(layer: Layer, x: Array) -> LaidOut:
    """The forward pass of a layer for one array.

    Args:
        layer: Its weights must not change any more. The calls use its scratch.
        x: (N, *input_shape), C-contiguous. Its contents count when the calls are made, and may differ each time.
    """
    y = layer.scratch("laid out y", (len(x), *layer.output_shape))
    return y, [lambda: np.copyto(y, layer.forward(x))]


@lay_out.register
def _(layer: Chain, x: Array) -> LaidOut:
    """One layer after the other."""
    steps: list[Step] = []
    for part in layer.order:
        x, more = lay_out(part, x)
        steps += more
    return x, steps


@lay_out.register
def _(layer: Dense, x: Array) -> LaidOut:
    """y = x W + b."""
    y, b = (layer.scratch(name, (len(x), *layer.output_shape)) for name in ("y", "b rows"))
    b[...] = layer.b.value  # for each row: NumPy adds arrays of one shape in half the time
    return y, [*product_steps(x, layer.W.value, y), partial(np.add, y, b, out=y)]


@lay_out.register
def _(layer: Conv2D, x: Array) -> LaidOut:
    """y = P B, with B computed once."""
    return convolve_steps(layer.plan, x, layer.W.value, layer.b.value, layer.scratch)


@lay_out.register
def _(layer: ReLU, x: Array) -> LaidOut:
    """y = max(x, 0)."""
    y = layer.scratch("y", x.shape)
    return y, [partial(np.maximum, x, zeros_for(x, layer.scratch), out=y)]


@lay_out.register
def _(layer: MaxPool2D, x: Array) -> LaidOut:
    """y = max X over each window, with X the input inside its padding."""
    padding = partial(pad, x, *layer.windows, -np.inf, layer.scratch)
    X = padding()
    y, steps = max_pool_steps(X, *layer.windows, layer.scratch)
    return y, steps if X is x else [padding, *steps]


@lay_out.register
def _(layer: BatchNorm, x: Array) -> LaidOut:
    """y = x · (γ/σ) + (β − μ γ/σ): one factor and one offset for each feature."""
    factor, offset = (repeated(values, layer.input_shape, layer.scratch).copy() for values in layer.in_use())
    y = layer.scratch("y", x.shape)
    rows, out = (array.reshape(len(x), len(factor)) for array in (x, y))
    return y, [partial(np.multiply, rows, factor, out=out), partial(np.add, out, offset, out=out)]


@lay_out.register
def _(layer: Dropout, x: Array) -> LaidOut:  # noqa: ARG001 — the identity in use, whatever the layer
    """y = x: no call at all."""
    return x, []


@lay_out.register
def _(layer: Flatten, x: Array) -> LaidOut:
    """y = x along one axis: no call at all."""
    return layer.forward(x), []


@lay_out.register
def _(layer: Ensemble, x: Array) -> LaidOut:
    """The members one after the other, and then their vote."""
    z = layer.scratch("z", (len(x), len(layer.members), *layer.output_shape))  # (N, M, …, K)
    steps: list[Step] = []
    for m, member in enumerate(layer.members):
        z_m, more = lay_out(member, x)
        steps += [*more, partial(np.copyto, z[:, m], z_m)]
    y = layer.scratch("y", (len(x), *layer.output_shape))
    return y, [*steps, partial(layer.vote, z)]
