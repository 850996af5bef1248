"""Weights as safetensors: names, shapes and raw numbers, no code to run, readable by every other tool."""

import json
from collections import Counter
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
    contiguous = {name: np.asarray(array, order="C") for name, array in state.items()}
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
        _refuse_duplicates(data)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{name}: not a whole safetensors file ({error})") from error
    except KeyError as error:  # a type that NumPy has not, e.g. bfloat16
        raise WeightsError(f"{name}: holds {error.args[0]} numbers, expected F32") from error
    except ValueError as error:  # a shape that NumPy cannot make, or a name that is there twice
        raise WeightsError(f"{name}: {error}") from error
    for key, array in state.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{name}: {key} is {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: {key} holds numbers that are not finite")
    return state


def _refuse_duplicates(data: bytes) -> None:
    """Of two tensors with one name, readers differ in which they take: safetensors forbids it, its reader lets it pass.

    The format begins with the length of the JSON header, 8 bytes, little-endian; that it is sound is known by now.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if twice := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
            raise ValueError(f"the header names {', '.join(twice)} more than once")
        return dict(pairs)

    json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=unique)
