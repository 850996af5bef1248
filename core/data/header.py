"""The header of an IDX file: dtype and shape, to and from bytes. See `core.data.idx` for the format."""

import math
import struct
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.gunzip import GZIP_MAGIC
from core.errors import IdxDimensionsError, IdxError, IdxMagicError, IdxTrailingError, IdxTruncatedError

__all__ = ["DTYPES", "MAX_HEADER", "Header", "checked_header", "encode_header", "parse_header"]

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(np.int16),
    0x0C: np.dtype(np.int32),
    0x0D: np.dtype(np.float32),
    0x0E: np.dtype(np.float64),
}
"""The element types, by their code in the header."""

CODES = {dtype: code for code, dtype in DTYPES.items()}
KNOWN_MAGICS = {2051: "an images file", 2049: "a labels file"}

MAX_RANK = 64  # NumPy's limit; the format allows 255
MAX_SIZE = 2**31 - 1  # the format's sizes are signed
MAX_HEADER = 4 + 4 * MAX_RANK
"""Bytes of the longest header."""


@dataclass(frozen=True)
class Header:
    """What a file announces: its big-endian dtype and its shape."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def start(self) -> int:
        """Where the elements begin, in bytes."""
        return 4 + 4 * len(self.shape)

    @property
    def total(self) -> int:
        """Size of the whole file, in bytes."""
        return self.start + math.prod(self.shape) * self.dtype.itemsize


def checked_header(head: bytes, size: int, *, name: str, magic: int | None, limit: int) -> Header:
    """Parse the header of a file of `size` bytes, a size which it must announce exactly.

    Args:
        head: The first `MAX_HEADER` bytes, or the whole file if it is shorter.
        size: Of the whole file, in bytes.
        name: What error messages call it.
        magic: The expected first four bytes, as one integer; None accepts any type and rank.
        limit: The largest size that the header may announce, in bytes.

    Raises:
        IdxError: See `core.data.idx.parse`.
    """
    header = parse_header(head, name=name, magic=magic, limit=limit)
    if header is None:
        raise IdxTruncatedError(f"{name}: ends after {size} bytes, within the IDX header; fetch it again")
    announced = f"{header.total:,} for {header.dtype.name} {header.shape}"
    if size < header.total:
        raise IdxTruncatedError(
            f"{name}: {size:,} bytes, but the header announces {announced}; the file is cut short, fetch it again"
        )
    if size > header.total:
        left = size - header.total
        raise IdxTrailingError(f"{name}: {left:,} bytes left over after the {announced} that the header announces")
    return header


def parse_header(head: bytes, *, name: str, limit: int, magic: int | None = None) -> Header | None:
    """Parse the first bytes of a file.

    Args:
        head: The bytes that are known so far.
        name: What error messages call the file.
        limit: The largest size of the file that the header may announce, in bytes.
        magic: The expected first four bytes, as one integer; None accepts any type and rank.

    Returns:
        None while the bytes are too few.

    Raises:
        IdxMagicError: Not an IDX header, or not the expected one.
        IdxDimensionsError: More than `limit` bytes announced, or more than 64 dimensions.
    """
    if len(head) < 4:
        return None
    found, code, rank = int.from_bytes(head[:4], "big"), head[2], head[3]
    if magic is not None and found != magic:
        raise IdxMagicError(f"{name}: magic {found}, expected {magic}; {_guess(head)}")
    if head[:2] != b"\0\0" or code not in DTYPES:
        types = ", ".join(f"{code:02x}" for code in DTYPES)
        raise IdxMagicError(
            f"{name}: begins with {head[:4].hex(' ')}, expected 00 00, a type ({types}) and a rank; {_guess(head)}"
        )
    if rank > MAX_RANK:
        raise IdxDimensionsError(f"{name}: {rank} dimensions, expected at most {MAX_RANK}")
    if len(head) < 4 + 4 * rank:
        return None
    shape = struct.unpack_from(f">{rank}I", head, 4)
    # An empty dimension counts as one, because NumPy cannot represent e.g. the shape (0, 2³¹, 2³¹, 2³¹).
    size = math.prod(max(size, 1) for size in shape) * DTYPES[code].itemsize
    if 4 + 4 * rank + size > min(limit, sys.maxsize):
        raise IdxDimensionsError(
            f"{name}: the header announces {DTYPES[code].name} {shape}, {size:,} bytes; the limit is {limit:,}"
        )
    return Header(DTYPES[code].newbyteorder(">"), shape)


def encode_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The bytes that come before the elements.

    Raises:
        IdxError: IDX has no code for this dtype.
        IdxDimensionsError: A dimension does not fit the header.
    """
    code = CODES.get(dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(dtype.name for dtype in CODES)
        raise IdxError(f"cannot encode {dtype.name} as IDX; cast it to one of {known}")
    if max(shape, default=0) > MAX_SIZE:
        raise IdxDimensionsError(f"cannot encode shape {shape} as IDX: a dimension holds at most {MAX_SIZE:,}")
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


def _guess(head: bytes) -> str:
    """What may have been passed instead."""
    if head.startswith(GZIP_MAGIC):
        return "this is gzip, unpack it first"
    known = KNOWN_MAGICS.get(int.from_bytes(head[:4], "big"))
    return f"was {known} passed?" if known else "is it the right file?"
