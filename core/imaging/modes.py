"""Any Pillow mode, or any array, → 8-bit gray or color, with or without transparency."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.digit import PIXELS, SIDE
from core.errors import PictureUnreadableError

# Modes with transparency; the others have it only as one color or as palette entries, named in `info`.
_WITH_ALPHA = {"LA": "LA", "La": "LA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}

# The level of white in samples that are not bytes: 1, or 8, 12 or 16 bits; the smallest one that no sample exceeds.
_WHITES = (1, 255, 4095, 65535)

# How far samples on the scale 0 … 1 may exceed it: by half a level of 255.
_ROUNDING = 0.002

_BLOCK = 1 << 20
"""Samples that are converted at a time; as float64 they are eight times as large as bytes."""


def plain(picture: Image.Image) -> Image.Image:
    """The picture in mode "L", "LA", "RGB" or "RGBA": the simplest that loses nothing that 8 bits can represent."""
    if is_deep(picture):
        return Image.fromarray(_to_bytes(np.asarray(picture)))
    transparent = "transparency" in picture.info
    if picture.mode in ("1", "L"):
        mode = "LA" if transparent else "L"
    else:
        mode = _WITH_ALPHA.get(picture.mode, "RGBA" if transparent else "RGB")
    return picture if picture.mode == mode else picture.convert(mode)


def is_deep(picture: Image.Image) -> bool:
    """Whether the samples have more than 8 bits."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;")


def picture_from_array(array: NDArray[Any]) -> Image.Image:
    """The picture in an array of one picture: see `one_picture` for its shape.

    Its scale is 0 … 1 if no value exceeds 1, in whatever dtype; else 0 … 255, 0 … 4095 or 0 … 65535.

    Raises:
        PictureUnreadableError: Another shape, not real numbers, or numbers outside 0 … 65535.
    """
    array = one_picture(array)
    if array.dtype.kind not in "buif":
        raise PictureUnreadableError(f"array: dtype {array.dtype}, expected uint8 or floats")
    low, high = float(array.min()), float(array.max())
    if not (low >= -_ROUNDING and high <= _WHITES[-1]):  # also refuses NaN
        step = "; undo the normalization first" if low < 0 and high < 10 else ""
        raise PictureUnreadableError(f"array: values from {low:g} to {high:g}, expected 0 … 1 or 0 … 255{step}")
    if array.dtype != np.uint8 or high <= 1:
        array = _to_bytes(np.maximum(array, 0))
    return Image.fromarray(np.ascontiguousarray(array))


def one_picture(array: NDArray[Any]) -> NDArray[Any]:
    """An array of one picture, without a dimension of one channel.

    Args:
        array: (H, W), (H, W, 1), (1, H, W), (H, W, 3) or (H, W, 4).

    Returns:
        (H, W), (H, W, 3) or (H, W, 4).

    Raises:
        PictureUnreadableError: Another shape.
    """
    shape = array.shape
    if array.ndim == 3 and array.size:
        if shape[2] in (3, 4):
            return array
        if 1 in (shape[0], shape[2]):
            return array[:, :, 0] if shape[2] == 1 else array[0]
    if array.ndim == 2 and array.size:
        return array
    step = "one picture at a time, colors last"
    if not array.size:
        step = "it is empty"
    elif array.ndim == 3 and shape[0] in (3, 4):
        step = "its colors come first: pass array.transpose(1, 2, 0)"
    elif shape == (PIXELS,):
        step = f"it is flat: pass array.reshape({SIDE}, {SIDE})"
    raise PictureUnreadableError(f"array: shape {shape}, expected (H, W), (H, W, 3) or (H, W, 4); {step}")


def _to_bytes(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any scale as 0 … 255, in the same shape. An unusual range is stretched to fit."""
    rows = max(1, _BLOCK // max(1, samples[:1].size))
    blocks = [slice(start, start + rows) for start in range(0, len(samples), rows)]
    low = min(float(_numbers(samples[block]).min()) for block in blocks)
    high = max(float(_numbers(samples[block]).max()) for block in blocks)
    if low >= 0 and high <= _WHITES[-1]:
        low, white = 0.0, 1 if high <= 1 + _ROUNDING else next(white for white in _WHITES if high <= white)
        high = float(white)
    result = np.empty(samples.shape, np.uint8)
    for block in blocks:
        scaled = np.rint((_numbers(samples[block]) - low) * (255 / ((high - low) or 1)))
        result[block] = np.minimum(scaled, 255)
    return result


def _numbers(samples: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(samples.astype(np.float64))
