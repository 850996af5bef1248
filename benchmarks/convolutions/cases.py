"""The ways of `ways.py` beside `core.kernels.convolution`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np

from benchmarks.convolutions import parts
from benchmarks.convolutions.turns import BATCH, Call, in_turns, pace
from benchmarks.convolutions.ways import F2, F4, KERNEL, RowProducts, Way, Winograd, WinogradRows
from benchmarks.result import Result
from core.errors import ConfigError
from core.kernels.arrays import Array, Scratch, Shape
from core.kernels.convolution import convolve
from core.kernels.plan import Plan
from core.kernels.window import windows

__all__ = ["CASES", "WAYS", "Case", "in_use", "measure", "whole_batch"]

Make = Callable[[Shape, int, "np.dtype[Any]"], Way]

WAYS: dict[str, Make] = {
    "three products of rows": RowProducts,
    "Winograd F(2, 3) along the width": lambda shape, outputs, dtype: WinogradRows(shape, outputs, dtype, F2),
    "Winograd F(4, 3) along the width": lambda shape, outputs, dtype: WinogradRows(shape, outputs, dtype, F4),
    "Winograd F(2×2, 3×3)": lambda shape, outputs, dtype: Winograd(shape, outputs, dtype, F2),
    "Winograd F(4×4, 3×3)": lambda shape, outputs, dtype: Winograd(shape, outputs, dtype, F4),
}

CHUNKS = (1, 2, 4, 8, 16)
"""How many pictures a way computes at a time. Each way is measured with the number that suits it best."""


@dataclass(frozen=True)
class Case:
    """A 3×3 convolution of pictures of `side` × `side` pixels; the result has two rows and two columns fewer."""

    side: int
    inputs: int
    outputs: int

    @property
    def name(self) -> str:
        """As `--case` matches it."""
        return f"{self.inputs} to {self.outputs} channels, {self.side}×{self.side}"


CASES = (
    Case(26, 16, 16),
    Case(14, 16, 32),
    Case(14, 32, 32),
    Case(10, 48, 48),
    Case(6, 96, 96),
    Case(14, 64, 64),
)
"""Of the widths of `cnn-wide`, `cnn` and `ensemble`, with sides that all transforms divide."""


def whole_batch(make: Make, x: Array, W: Array, chunk: int) -> Call:
    """A call that computes a whole batch in chunks of so many pictures."""
    n, h, w, _ = x.shape
    way = make((chunk, *x.shape[1:]), W.shape[-1], x.dtype)
    y = np.empty((n, h - KERNEL + 1, w - KERNEL + 1, W.shape[-1]), x.dtype)

    def call() -> Array:
        for start in range(0, n, chunk):
            way(x[start : start + chunk], W, y[start : start + chunk])
        return y

    return call


def in_use(x: Array, W: Array) -> Call:
    """A call that computes it as the layers do, in a training step: the weights have changed since the last one."""
    rows, columns = windows("conv2d", x.shape[1:], KERNEL, 1, "valid")
    plan, scratch = Plan.cheapest(rows, columns, *W.shape[2:]), Scratch(x.dtype)
    b = np.zeros(W.shape[-1], x.dtype)

    def call() -> Array:
        b[0] += 1e-30
        return convolve(plan, x, W, b, scratch)

    return call


def measure(pattern: str, rounds: int, seconds: float) -> Iterator[Result]:
    """Measure each way in turns with ours.

    Args:
        pattern: Which cases.
        rounds: How often each is measured.
        seconds: For how long each time.

    Raises:
        ConfigError: No case matches.
    """
    chosen = [case for case in CASES if fnmatch(case.name, pattern)]
    with_parts = fnmatch(parts.NAME, pattern)
    if not chosen and not with_parts:
        known = "; ".join([case.name for case in CASES] + [parts.NAME])
        raise ConfigError(f"--case {pattern}: matches none of: {known}")
    for case in chosen:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((BATCH, case.side, case.side, case.inputs), np.float32)
        W = rng.standard_normal((KERNEL, KERNEL, case.inputs, case.outputs), np.float32) / case.inputs
        others = {name: _best_chunk(make, x, W, seconds) for name, make in WAYS.items()}
        yield from in_turns(case.name, in_use(x, W), others, rounds, seconds)
    if with_parts:
        yield from parts.measure(rounds, seconds)


def _best_chunk(make: Make, x: Array, W: Array, seconds: float) -> Call:
    calls = [whole_batch(make, x, W, chunk) for chunk in CHUNKS]
    return max(calls, key=lambda call: pace(call, seconds / len(CHUNKS)))
