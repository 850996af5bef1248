"""The contents of an input that are given as JSON."""

import binascii
import struct
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from service.web.rest.json_values import in_words, wrong

__all__ = ["raw_contents"]


def raw_contents(name: str, datatype: str, shape: Sequence[int], size: int, data: Any) -> bytes | None:
    """The raw contents of a tensor; None for a datatype that the service never takes, as it says itself.

    Args:
        name: The name of the tensor, for messages.
        datatype: Its datatype.
        shape: Its shape.
        size: How many elements that makes.
        data: Its elements, row by row, flat or nested.

    Raises:
        HttpError: They are of another number or type.
    """
    if type(data) is not list:
        raise wrong(f"input {name}: data is {in_words(data)}, expected a list")
    write = WRITERS.get(datatype)
    if write is None:
        return None
    try:
        while data and type(data[0]) is list:
            data = list(chain.from_iterable(data))
    except TypeError:
        raise wrong(f"input {name}: data has lists beside other things; expected it flat, or evenly nested") from None
    if len(data) != size:
        raise wrong(f"input {name}: {len(data):,} elements in data, expected {size:,} for shape {list(shape)}")
    return write(name, data)


def _bytes(name: str, data: list[Any]) -> bytes:
    try:
        raw = bytes(data)
    except TypeError:
        raw = None
    except ValueError:
        if set(map(type, data)) <= {int}:
            raise wrong(f"input {name} ranges from {min(data)} to {max(data)}; UINT8 is 0 to 255") from None
        raw = None
    # For bytes(), true is 1. Written as JSON again, which takes a fifth of the time that looking at each type takes,
    # whole numbers have no letter, and both truth values have an e.
    if raw is None or b"e" in orjson.dumps(data):
        raise wrong(f"input {name}: data must be whole numbers from 0 to 255 for UINT8")
    return raw


def _floats(name: str, data: list[Any]) -> bytes:
    if not set(map(type, data)) <= {int, float}:
        raise wrong(f"input {name}: data must be numbers for FP32")
    with np.errstate(over="ignore"):  # what becomes infinite is refused like any other infinity
        return np.array(data, "<f4").tobytes()


def _elements(name: str, data: list[Any]) -> bytes:
    """The elements of a BYTES tensor, each after its length in four bytes.

    JSON holds text alone, and an encoded picture is none, so each element is the base64 of one, or a data: URL with it.
    """
    found: list[bytes] = []
    for index, text in enumerate(data):
        if type(text) is not str:
            raise wrong(f"input {name}, element {index} of data is {in_words(text)}, expected a text")
        encoded = text.partition(",")[2] if text.startswith("data:") else text
        try:
            element = binascii.a2b_base64("".join(encoded.split()), strict_mode=True)
        except ValueError:  # binascii.Error, and text beyond ASCII
            raise wrong(
                f"input {name}, element {index} of data is not base64; send each picture as base64 text, or all of "
                "them in binary form (binary_data_size)"
            ) from None
        found += (struct.pack("<I", len(element)), element)
    return b"".join(found)


WRITERS: dict[str, Callable[[str, list[Any]], bytes]] = {"UINT8": _bytes, "FP32": _floats, "BYTES": _elements}
"""How the elements of each datatype become raw contents."""
