"""Convolution, ReLU and pooling for a few pictures at a time, so that what passes between them stays in the caches."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.convolutions.turns import BATCH, Call, in_turns
from benchmarks.result import Result
from core.kernels.arrays import Array
from core.nn.architectures import build

__all__ = ["NAME", "measure", "stages"]

NAME = "convolution, ReLU and pooling"

PARTS = (2, 4, 8, 16)
"""Pictures in a part."""

_LAYERS: list[dict[str, Any]] = [
    {"kind": "conv2d", "channels": 16, "kernel": 3},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
]


def stages(x: Array, part: int) -> Call:
    """A call that computes the three layers for all pictures, `part` of them at a time."""
    network = build(x.shape[1:], _LAYERS, rng=np.random.default_rng(0), dtype=x.dtype)
    y = np.empty((len(x), *network.output_shape), x.dtype)

    def call() -> Array:
        for start in range(0, len(x), part):
            y[start : start + part] = network.forward(x[start : start + part])
        return y

    return call


def measure(rounds: int, seconds: float) -> Iterator[Result]:
    """The whole batch in turns with parts of each size."""
    x = np.random.default_rng(0).standard_normal((BATCH, 28, 28, 16), np.float32)
    parts = {f"{part} pictures at a time": stages(x, part) for part in PARTS}
    yield from in_turns(NAME, stages(x, BATCH), parts, rounds, seconds)
