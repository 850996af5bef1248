"""The numbers of a layer's output as bytes: a quarter of their size, and as fine as a screen can show them."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.inference.inside import Stage
from protos.numeral.v1.recognizer_pb2 import Stage as StageMessage

__all__ = ["quantized", "stage_message"]

STEPS = 255


def quantized(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    """Numbers in steps from the smallest to the largest: value ≈ low + (high − low) · level / 255.

    Args:
        values: Of any shape. An infinite number is taken for the largest or the smallest finite one, and what is no
            number for the smallest.

    Returns:
        The levels, of the same shape, low, and high. If all numbers are equal, so are low and high, and the levels 0.
    """
    finite = values[np.isfinite(values)].astype(np.float64)  # in which high − low cannot overflow
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low == high:
        return np.zeros(values.shape, np.uint8), low, high
    within = np.nan_to_num(values, nan=low, posinf=high, neginf=low).astype(np.float64)
    return np.rint((within - low) * (STEPS / (high - low))).astype(np.uint8), low, high


def stage_message(stage: Stage) -> StageMessage:
    """The output of a layer; feature maps, (H, W, C), one after the other."""
    levels, low, high = quantized(stage.output)
    maps = np.moveaxis(levels, -1, 0) if levels.ndim > 2 else levels
    return StageMessage(
        name=stage.name,
        kind=stage.kind,
        settings={option: _text(value) for option, value in stage.options.items()},
        shape=stage.output.shape,
        levels=maps.tobytes(),
        low=low,
        high=high,
        parameters=stage.parameters,
    )


def _text(value: Any) -> str:
    """An option as people read it: 5, same, or [3, 3]."""
    return value if isinstance(value, str) else json.dumps(value)
