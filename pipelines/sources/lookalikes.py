"""Other data sets in MNIST's format and under its file names: which one a file is of, so that an error can say so.

Fashion-MNIST, Kuzushiji-MNIST, EMNIST and QMNIST are distributed as the same four files. A file that is not MNIST's is
recognized by its shape, and by the brightness of its images: that of each of these sets is published, because networks
are trained on images from which it has been subtracted.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import idx
from core.data.header import DTYPES, Header
from core.data.mnist import MnistFile
from core.errors import IdxError

__all__ = ["other_data"]

_LARGEST = 256 * 1024 * 1024
"""Bytes that are read: of what is larger, nothing is said."""

_BRIGHTNESS = {"Fashion-MNIST": 72.9, "Kuzushiji-MNIST": 48.9, "EMNIST": 44.2}
"""The mean of all pixels, from 0 to 255: 0.2860, 0.1918 and 0.1733 of 255. MNIST's is 33.3."""

_TOLERANCE = 1.5
"""By how much it may differ, as it does between training and test images."""

_COUNTS = {
    240_000: "EMNIST Digits",
    40_000: "EMNIST Digits",
    112_800: "EMNIST Balanced",
    18_800: "EMNIST Balanced",
    124_800: "EMNIST Letters",
    20_800: "EMNIST Letters",
}
"""How many images the training and the test files of sets of other sizes hold."""

_ADVICE = "this project trains on MNIST; to train on other images of digits as well, name their folder with --extra"


def other_data(path: Path, file: MnistFile) -> str | None:
    """What a file is that is not MNIST's, in words, with what to do about it.

    Args:
        path: A file, gzipped or plain, whose digest is not the pinned one.
        file: Which file it stands for.

    Returns:
        The words, which follow "has" or "is"; None if the file is damaged, or cannot be told from a damaged one.
    """
    try:
        array = idx.read(path, limit=_LARGEST)
    except (IdxError, OSError):
        return None
    same_kind = (array.dtype, array.ndim) == (DTYPES[file.magic >> 8], file.magic & 0xFF)
    known = _recognized(array)
    if known is None and same_kind and Header(array.dtype, array.shape).total == file.size:
        return None  # as large as MNIST's, and like no other set: a few damaged bytes look like this
    shape = "×".join(f"{size:,}" for size in array.shape)
    return f"a sound file of another data set ({array.dtype} {shape}{f', like {known}' if known else ''}): {_ADVICE}"


def _recognized(array: NDArray[np.generic]) -> str | None:
    """The name of the data set, if it is one of those."""
    if array.ndim == 2 and array.shape[1] == 8:
        return "QMNIST"  # its labels say who wrote each digit, among other things
    if known := _COUNTS.get(len(array)) if array.ndim else None:
        return known
    if array.ndim != 3 or array.dtype != np.uint8 or not math.prod(array.shape):
        return None
    brightness = float(array.mean())
    return next((name for name, mean in _BRIGHTNESS.items() if abs(brightness - mean) <= _TOLERANCE), None)
