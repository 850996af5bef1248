"""Weights as safetensors: names, shapes and raw numbers, without executable code, readable by many other tools."""

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
    """All parameters and buffers as one safetensors file; the same state always gives the same bytes.

    Args:
        state: float32 arrays by full name, e.g. `0.dense.W`.

    Raises:
        WeightsError: A number is not finite, or an array is not float32; such weights must not be published.
    """
    for name, array in state.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{name}: {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: holds numbers that are not finite; training has diverged")
    contiguous = {name: np.asarray(array, order="C") for name, array in state.items()}
    return safetensors.numpy.save(contiguous, metadata={"format": "np"})


def decode(data: bytes, *, name: str = "weights") -> dict[str, NDArray[np.float32]]:
    """The arrays of a safetensors file, by name; they own their memory.

    Args:
        data: The file.
        name: What error messages call it.

    Raises:
        WeightsError: The file is not safetensors, is damaged, or holds anything but finite float32 numbers.
    """
    try:
        state = safetensors.numpy.load(data)
        _refuse_duplicates(data)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"{name}: not a whole safetensors file ({error})") from error
    except KeyError as error:  # a type that NumPy lacks, e.g. bfloat16
        raise WeightsError(f"{name}: holds {error.args[0]} numbers, expected F32") from error
    except ValueError as error:  # a shape that NumPy cannot represent, or a duplicate name
        raise WeightsError(f"{name}: {error}") from error
    for key, array in state.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{name}: {key} is {array.dtype}, expected float32")
        if not np.isfinite(array).all():
            raise WeightsError(f"{name}: {key} holds numbers that are not finite")
    return state


def _refuse_duplicates(data: bytes) -> None:
    """Refuse two tensors of one name: the format forbids them, but its reader accepts them and takes either.

    The file begins with the length of its JSON header, 8 bytes, little-endian; the header is known to be valid here.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if twice := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
            raise ValueError(f"the header names {', '.join(twice)} more than once")
        return dict(pairs)

    json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")], object_pairs_hook=unique)
