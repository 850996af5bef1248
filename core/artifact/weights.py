"""Weights as safetensors: names, shapes and raw numbers, no code to run, readable by every other tool."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from core.errors import WeightsError


def encode(state: Mapping[str, NDArray[Any]]) -> bytes:
    """Every parameter and buffer, as one safetensors file; the same state always gives the same bytes.

    Args:
        state: Full names, e.g. `0.dense.W`, and float32 arrays.

    Raises:
        WeightsError: A number is not finite, or an array is not float32: such a file must not be published.
    """
    for name, array in state.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{name}: {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: holds numbers that are not finite; training has diverged")
    contiguous = {name: np.ascontiguousarray(array) for name, array in state.items()}
    return safetensors.numpy.save(contiguous, metadata={"format": "np"})


def decode(data: bytes, *, name: str = "weights") -> dict[str, NDArray[np.float32]]:
    """The arrays of a safetensors file, as owned float32 arrays.

    Args:
        data: The file.
        name: What error messages call it.

    Raises:
        WeightsError: Not safetensors, damaged, or holding something else than finite float32 numbers.
    """
    try:
        state = safetensors.numpy.load(data)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{name}: not a whole safetensors file ({error})") from error
    except KeyError as error:  # a type that NumPy has not, e.g. bfloat16
        raise WeightsError(f"{name}: holds {error.args[0]} numbers, expected F32") from error
    for key, array in state.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{name}: {key} is {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: {key} holds numbers that are not finite")
    return state
