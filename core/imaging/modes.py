"""Any Pillow mode, or any array, → 8-bit gray or color, with or without transparency."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import PictureUnreadableError

# Modes with transparency; the others have it only as one color or as palette entries, named in `info`.
_WITH_ALPHA = {"LA": "LA", "La": "LA", "PA": "RGBA", "RGBA": "RGBA", "RGBa": "RGBA"}

# The level of white in samples that are not bytes: 1, or 8, 12 or 16 bits; the smallest one that no sample exceeds.
_WHITES = (1, 255, 4095, 65535)

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
    """The picture in an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Raises:
        PictureUnreadableError: Another shape, not real numbers, or numbers outside 0 … 255 (uint8), 0 … 1 or
            0 … 65535 (anything else).
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or not array.size:
        raise PictureUnreadableError(
            f"array: shape {array.shape}, expected (H, W), (H, W, 3) or (H, W, 4); one picture at a time, colors last"
        )
    if array.dtype.kind not in "buif":
        raise PictureUnreadableError(f"array: dtype {array.dtype}, expected uint8 or floats")
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= _WHITES[-1]):  # also refuses NaN
            raise PictureUnreadableError(f"array: values from {low:g} to {high:g}, expected 0 … 1 or 0 … 255")
        array = _to_bytes(array)
    return Image.fromarray(np.ascontiguousarray(array))


def _to_bytes(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any scale as 0 … 255, in the same shape. An unusual range is stretched to fit."""
    rows = max(1, _BLOCK // max(1, samples[:1].size))
    blocks = [slice(start, start + rows) for start in range(0, len(samples), rows)]
    low = min(float(_numbers(samples[block]).min()) for block in blocks)
    high = max(float(_numbers(samples[block]).max()) for block in blocks)
    if low >= 0 and high <= _WHITES[-1]:
        low, high = 0.0, float(next(white for white in _WHITES if high <= white))
    result = np.empty(samples.shape, np.uint8)
    for block in blocks:
        result[block] = np.rint((_numbers(samples[block]) - low) * (255 / ((high - low) or 1)))
    return result


def _numbers(samples: NDArray[Any]) -> NDArray[np.float64]:
    return np.nan_to_num(samples.astype(np.float64))
