"""A pair of IDX files, as those of MNIST: images, and their labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import idx
from core.errors import IdxError
from pipelines.new_data.reading import Reading

__all__ = ["LARGEST_IDX", "read_idx_pair"]

LARGEST_IDX = 512 * 1024 * 1024
"""Bytes of one file, packed or not: 650,000 images of 28×28."""


def read_idx_pair(images: bytes, labels: bytes) -> Reading:
    """The pictures of two files, each gzipped or not."""
    try:
        pictures, digits = _parsed(images, "images"), _parsed(labels, "labels")
    except IdxError as error:
        return Reading.fault(str(error))
    if pictures.ndim != 3:
        return Reading.fault(f"images: {pictures.dtype} {pictures.shape}, expected (N, height, width)")
    if digits.ndim != 1 or digits.dtype.kind not in "iu":
        return Reading.fault(f"labels: {digits.dtype} {digits.shape}, expected integers (N,)")
    if len(pictures) != len(digits):
        return Reading.fault(f"{len(pictures):,} images, but {len(digits):,} labels; do the two files belong together?")
    return Reading.of(zip(range(len(digits)), digits.tolist(), map(np.asarray, pictures), strict=True))


def _parsed(data: bytes, name: str) -> NDArray[Any]:
    if data.startswith(idx.GZIP_MAGIC):
        data = idx.unpack(data, name=name, limit=LARGEST_IDX)
    return idx.parse(data, name=name, limit=LARGEST_IDX)
