"""IDX files larger than memory: mapped into memory, released again, and written piece by piece."""

import mmap
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.data.durable import whole_file
from core.data.header import MAX_HEADER, checked_header, encode_header
from core.errors import IdxError

__all__ = ["is_mapped", "memory_map", "release", "writer"]


def memory_map(path: str | os.PathLike[str], *, magic: int | None = None) -> NDArray[Any]:
    """Map an uncompressed IDX file: its elements are read from disk when they are accessed.

    No limit is needed, unlike in `idx.read`: the announced size must be the real one, and takes addresses, not memory.
    What was accessed stays in memory until `release`. The file must not shrink meanwhile: access to a part that is gone
    ends the process (SIGBUS), as with any memory map. `idx.write` and `writer` replace a file, they never shorten one.

    Args:
        path: The file; a gzipped one must be unpacked first.
        magic: The expected first four bytes, as one integer; None accepts any type and rank.

    Returns:
        The elements in the announced shape, read-only. Types wider than a byte stay big-endian, as in the file.

    Raises:
        IdxError: See `idx.parse`.
        OSError: The file cannot be read.
    """
    name = os.fspath(path)
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header = checked_header(file.read(MAX_HEADER), size, name=name, magic=magic, limit=sys.maxsize)
        mapping = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    return np.ndarray(header.shape, header.dtype, buffer=mapping, offset=header.start)


def release(array: NDArray[Any]) -> None:
    """Release the memory of the map that `array` is a view of; whatever is accessed again is read from disk again.

    The file's pages count as memory of this process while they are mapped, however much the system would cache anyway.
    This is a no-op for arrays in memory, for writable maps (a private one would lose what was written), and on systems
    without such advice.
    """
    owner = _owner(array)
    if isinstance(owner, mmap.mmap) and memoryview(owner).readonly and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def is_mapped(array: NDArray[Any]) -> bool:
    """Whether `array` is a view of a memory map."""
    return isinstance(_owner(array), mmap.mmap)


@contextmanager
def writer(
    path: str | os.PathLike[str], shape: tuple[int, ...] = (), dtype: DTypeLike = np.uint8
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Write an uncompressed IDX file piece by piece; the complete file appears when the block ends, or not at all.

        with writer("images-idx3-ubyte", (28, 28)) as append:
            for images in pieces:  # uint8 (…, 28, 28)
                append(images)

    Args:
        path: The file.
        shape: Of one item, without the first dimension, which grows with the pieces.
        dtype: One of those in `core.data.header.DTYPES`.

    Raises:
        IdxError: A piece of another type or shape, a type that IDX has no code for, or a name that ends in `.gz`.
        IdxDimensionsError: More items than the header can express.
        OSError: The folder cannot be written.
    """
    if Path(path).name.endswith(".gz"):
        raise IdxError(f"{os.fspath(path)}: a gzipped file cannot be memory-mapped; drop the .gz")
    dtype = np.dtype(dtype)
    count = 0

    def append(items: NDArray[Any]) -> None:
        nonlocal count
        if items.dtype != dtype or items.shape[1:] != shape:
            raise IdxError(
                f"{os.fspath(path)}: cannot append {items.dtype.name} {items.shape}, expected {dtype.name} (…, "
                f"{str(shape)[1:]}"
            )
        file.write(np.ascontiguousarray(items, dtype.newbyteorder(">")).data)
        count += len(items)

    with whole_file(path) as file:
        file.write(encode_header(dtype, (0, *shape)))
        yield append
        header = encode_header(dtype, (count, *shape))
        file.seek(0)
        file.write(header)


def _owner(array: NDArray[Any]) -> object:
    """What the memory of an array belongs to."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner
