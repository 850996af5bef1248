"""The layouts of a convolution, chosen by estimated cost.

The cost is a formula, not a measurement, so that all runs on all machines choose the same layouts: others add the same
numbers in another order, and the last bits of all weights would differ.
"""

from dataclasses import dataclass
from typing import Self

from core.kernels.bands import Bands
from core.kernels.window import Window

_WIDEST = 64
"""Outputs in the widest tile: wider ones only multiply more zeros."""

# Nanoseconds on one core with AVX-512, NumPy 2.4, OpenBLAS 0.3.31, float32. Only their ratios matter.
_COPY_RUN, _COPY_NUMBER = 5.0, 0.07
"""Of a copy: for each contiguous stretch, and for each number."""
_ADD_RUN, _ADD_NUMBER = 20.0, 0.15
"""Of an addition, likewise."""
_MULTIPLY = 2 / 90
"""Of one multiplication and addition in a product of wide matrices: 90 GFLOP/s."""
_NARROW = 8
"""A product with n columns takes as long as one with n + 8 would at that speed."""


@dataclass(frozen=True)
class Plan:
    """How one convolution is computed.

    Attributes:
        ahead: The layout of the forward pass, and of the backward pass if dx is not needed.
        back: The layout of the backward pass if dx is needed.
        mirrored: Whether `back` is a layout over dy, of the mirrored kernel (see `core.kernels.convolution`); else it
            is one over x.
    """

    ahead: Bands
    back: Bands
    mirrored: bool

    @classmethod
    def cheapest(cls, rows: Window, columns: Window, inputs: int, outputs: int) -> Self:
        """The plan with the lowest estimated cost."""
        over_x = [Bands(rows, columns, inputs, outputs, tile) for tile in _tiles(columns)]
        ahead, adding = min(over_x, key=_forward), min(over_x, key=_backward)
        if rows.stride != 1 or columns.stride != 1:
            return cls(ahead, adding, mirrored=False)
        down, across = rows.mirrored, columns.mirrored
        over_dy = [Bands(down, across, outputs, inputs, tile, bias=False) for tile in _tiles(across)]
        mirror = min(over_dy, key=_backward_mirrored)
        if _backward(adding) <= _backward_mirrored(mirror):
            return cls(ahead, adding, mirrored=False)
        return cls(ahead, mirror, mirrored=True)


def _forward(bands: Bands) -> float:
    return _gather(bands) + _product(bands)


def _backward(bands: Bands) -> float:
    return _gather(bands) + 2 * _product(bands) + _scatter(bands)


def _backward_mirrored(bands: Bands) -> float:
    return _gather(bands) + 2 * _product(bands)


def _tiles(columns: Window) -> list[int]:
    return [t for t in range(1, min(columns.outputs, _WIDEST) + 1) if columns.outputs % t == 0]


def _patches(bands: Bands) -> int:
    return bands.tiles[0] * bands.tiles[1]


def _product(bands: Bands) -> float:
    """One matrix product: y = P B, dB = Pᵀ dy and dP = dy Bᵀ multiply equally often."""
    numbers, columns = bands.shape
    return _patches(bands) * numbers * (columns + _NARROW) * _MULTIPLY


def _gather(bands: Bands) -> float:
    return _patches(bands) * (bands.rows.kernel * _COPY_RUN + bands.pixels * _COPY_NUMBER)


def _scatter(bands: Bands) -> float:
    return _patches(bands) * (bands.rows.kernel * len(bands.pieces) * _ADD_RUN + bands.pixels * _ADD_NUMBER)
