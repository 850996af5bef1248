"""IDX, the format of the MNIST files: bytes to arrays and back.

A file is a header, then the elements; everything is big-endian:

    bytes 0, 1    zero
    byte 2        type: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
    byte 3        rank, the number of dimensions
    4 × rank      the size of each dimension, as a 32-bit integer
    the rest      the elements, the last dimension running fastest (C order)

The first four bytes, read as one integer, are the magic: 2051 for MNIST's images (uint8, rank 3), 2049 for its labels
(uint8, rank 1). Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database", section "The IDX file format".

A file may be gzipped. No length that a file announces about itself is trusted: memory is bounded by `limit`.
"""

import gzip
import io
import math
import os
import secrets
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.gunzip import GZIP_MAGIC, gunzip
from core.errors import (
    IdxDimensionsError,
    IdxError,
    IdxGzipBombError,
    IdxMagicError,
    IdxTrailingError,
    IdxTruncatedError,
)

__all__ = ["DTYPES", "GZIP_MAGIC", "LIMIT", "encode", "parse", "read", "unpack", "write"]
__all__ += ["MAX_HEADER", "Header", "checked_header", "encode_header", "whole_file"]  # used by core.data.large

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(np.int16),
    0x0C: np.dtype(np.int32),
    0x0D: np.dtype(np.float32),
    0x0E: np.dtype(np.float64),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}
KNOWN_MAGICS = {2051: "an images file", 2049: "a labels file"}

LIMIT = 1 << 30  # bytes; the largest MNIST file has 47 million
MAX_RANK = 64  # NumPy's limit; the format allows 255
MAX_SIZE = 2**31 - 1  # the format's sizes are signed
MAX_HEADER = 4 + 4 * MAX_RANK


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


def parse(
    data: bytes | memoryview, *, name: str = "IDX data", magic: int | None = None, limit: int = LIMIT
) -> NDArray[Any]:
    """Parse the bytes of one unpacked file.

    Args:
        data: The whole file.
        name: What error messages call it.
        magic: The expected first four bytes, as one integer; None accepts any type and rank.
        limit: The largest size that the header may announce, in bytes.

    Returns:
        The elements in native byte order and in the announced shape, always read-only. For one-byte types they are a
        view of `data`, which they keep alive; for wider types they are a copy.

    Raises:
        IdxMagicError: Not an IDX header, or not the expected one.
        IdxDimensionsError: More than `limit` bytes announced, or more than 64 dimensions.
        IdxTruncatedError: Fewer bytes than announced.
        IdxTrailingError: More bytes than announced.
    """
    view = memoryview(data).cast("B")
    header = checked_header(bytes(view[:MAX_HEADER]), len(view), name=name, magic=magic, limit=limit)
    elements: NDArray[Any] = np.ndarray(header.shape, header.dtype, buffer=view, offset=header.start)
    array = elements.astype(header.dtype.newbyteorder("="), copy=False)
    array.flags.writeable = False
    return array


def checked_header(head: bytes, size: int, *, name: str, magic: int | None, limit: int) -> Header:
    """Parse the header of a file of `size` bytes, a size which it must announce exactly.

    Args:
        head: The first `MAX_HEADER` bytes, or the whole file if it is shorter.
        size: Of the whole file, in bytes.
        name: As in `parse`.
        magic: As in `parse`.
        limit: As in `parse`.

    Raises:
        IdxError: As `parse`.
    """
    header = _header(head, name=name, magic=magic, limit=limit)
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


def _header(head: bytes, *, name: str, limit: int, magic: int | None = None) -> Header | None:
    """Parse the first bytes of a file; None while they are too few."""
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


def _guess(head: bytes) -> str:
    """What may have been passed instead."""
    if head.startswith(GZIP_MAGIC):
        return "this is gzip, unpack it first"
    known = KNOWN_MAGICS.get(int.from_bytes(head[:4], "big"))
    return f"was {known} passed?" if known else "is it the right file?"


def encode(array: NDArray[Any]) -> bytes:
    """Turn an array into the bytes of an unpacked IDX file.

    Args:
        array: Any shape, any byte order; one of the dtypes in `DTYPES`.

    Raises:
        IdxError: IDX has no code for this dtype.
        IdxDimensionsError: A dimension does not fit the header.
    """
    header = encode_header(array.dtype, array.shape)
    return header + array.astype(array.dtype.newbyteorder(">"), copy=False).tobytes(order="C")


def encode_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """The bytes that come before the elements.

    Raises:
        IdxError, IdxDimensionsError: As `encode`.
    """
    code = CODES.get(dtype.newbyteorder("="))
    if code is None:
        known = ", ".join(dtype.name for dtype in CODES)
        raise IdxError(f"cannot encode {dtype.name} as IDX; cast it to one of {known}")
    if max(shape, default=0) > MAX_SIZE:
        raise IdxDimensionsError(f"cannot encode shape {shape} as IDX: a dimension holds at most {MAX_SIZE:,}")
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


def write(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array as IDX, gzipped if the name ends in `.gz`: the complete file appears at once, or not at all.

    Equal arrays give equal bytes: the gzip header carries no time and no name.

    Raises:
        IdxError: See `encode`.
        OSError: The folder cannot be written.
    """
    path = Path(path)
    data = encode(array)
    if path.name.endswith(".gz"):
        data = gzip.compress(data, compresslevel=6, mtime=0)
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which appears under its name once the block has ended without an error, or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    path = Path(path)
    # In the same folder, since a rename is atomic only within one file system. A plain open respects the umask, while
    # `tempfile` would make a file that only its owner can read.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str], *, magic: int | None = None, limit: int = LIMIT) -> NDArray[Any]:
    """Read an IDX file, gzipped or not: the content decides, not the name.

    Args:
        path: The file.
        magic: The expected first four bytes, as one integer; None accepts any type and rank.
        limit: The largest unpacked size, in bytes.

    Returns:
        As `parse`.

    Raises:
        IdxError: See `parse` and `unpack`.
        OSError: The file cannot be read.
    """
    name = os.fspath(path)
    with Path(path).open("rb") as file:
        if file.peek(len(GZIP_MAGIC)).startswith(GZIP_MAGIC):
            data = _unpack(file, name=name, limit=limit)
        else:
            data = file.read(limit + 1)  # one byte more than allowed reveals a file that is too large
    return parse(data, name=name, magic=magic, limit=limit)


def unpack(data: bytes, *, name: str = "IDX data", limit: int = LIMIT) -> bytes:
    """Unpack a gzipped IDX file, no further than its own header announces.

    Args:
        data: The gzip stream, of one or more members.
        name: What error messages call it.
        limit: The largest unpacked size, in bytes.

    Raises:
        IdxMagicError: The unpacked bytes do not begin like IDX.
        IdxDimensionsError: The IDX header announces more than `limit`.
        IdxGzipBombError: More bytes are unpacked than the IDX header announces.
        IdxGzipDamagedError: The stream is cut short, fails its checksum, or is followed by something else.
        IdxTruncatedError: The stream is empty.
    """
    return _unpack(io.BytesIO(data), name=name, limit=limit)


def _unpack(stream: BinaryIO, *, name: str, limit: int) -> bytes:
    unpacked = io.BytesIO()  # returns its bytes without a second copy
    head, header = b"", None
    for chunk in gunzip(stream, name=name, limit=limit):
        unpacked.write(chunk)
        if header is None:
            head = (head + chunk)[:MAX_HEADER]
            header = _header(head, name=name, limit=limit)
        if header is not None and unpacked.tell() > header.total:
            raise IdxGzipBombError(
                f"{name}: the gzip stream unpacks to more than the {header.total:,} bytes that the IDX header in it "
                f"announces for {header.dtype.name} {header.shape}"
            )
    return unpacked.getvalue()
