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
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.durable import whole_file
from core.data.gunzip import GZIP_MAGIC, gunzip
from core.data.header import MAX_HEADER, checked_header, encode_header, parse_header
from core.errors import IdxGzipBombError

__all__ = ["GZIP_MAGIC", "LIMIT", "encode", "parse", "read", "unpack", "write"]

LIMIT = 1 << 30  # bytes; the largest MNIST file has 47 million


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
            header = parse_header(head, name=name, limit=limit)
        if header is not None and unpacked.tell() > header.total:
            raise IdxGzipBombError(
                f"{name}: the gzip stream unpacks to more than the {header.total:,} bytes that the IDX header in it "
                f"announces for {header.dtype.name} {header.shape}"
            )
    return unpacked.getvalue()
