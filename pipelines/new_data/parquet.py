"""A Parquet table of labeled pictures, as data sets on Hugging Face have it: columns `image` and `label`.

`score` reads tables of pictures too, and shares what a cell holds and the words about the library.
"""

import io
from collections.abc import Iterator
from typing import Any

from pipelines.new_data.reading import Reading

__all__ = ["LARGEST_TABLE", "NEEDS_PYARROW", "NeedsPyarrowError", "picture_in", "read_parquet"]

LARGEST_TABLE = 512 * 1024 * 1024
"""Bytes of one file."""

_ROWS_AT_A_TIME = 1000


NEEDS_PYARROW = "needs pyarrow, which is not installed; install it with: pip install 'numeral[parquet]'"
"""The end of a sentence that says what needs it."""


class NeedsPyarrowError(Exception):
    """The library that reads Parquet is not installed. What is installed may change, so this is never remembered."""

    def __init__(self) -> None:
        """Name the extra that installs it."""
        super().__init__(f"reading Parquet {NEEDS_PYARROW}")


def read_parquet(table: bytes) -> Reading:
    """The pictures of a table. A picture is `{"bytes": …, "path": …}` or the bytes alone.

    Raises:
        NeedsPyarrowError: See there.
        MemoryError: There is not enough memory at the moment.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise NeedsPyarrowError from error
    try:
        file = parquet.ParquetFile(io.BytesIO(table))
        if missing := {"image", "label"} - set(file.schema_arrow.names):
            found = ", ".join(file.schema_arrow.names)
            return Reading.fault(f"no column {' and '.join(sorted(missing))}, found {found}; expected image and label")
        return Reading.of(_rows(file))
    except MemoryError:  # an ArrowException, too
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        return Reading.fault(f"not a Parquet file that can be read: {str(error).partition(chr(10))[0]}")


def _rows(file: Any) -> Iterator[tuple[int, Any, bytes]]:
    number = 0
    for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=["image", "label"]):
        for image, label in zip(batch.column("image").to_pylist(), batch.column("label").to_pylist(), strict=True):
            yield number, label, picture_in(image) or b""
            number += 1


def picture_in(cell: Any) -> bytes | None:
    """The encoded picture of a cell, which is `{"bytes": …, "path": …}` or the bytes alone; None if there is none."""
    picture = cell.get("bytes") if isinstance(cell, dict) else cell
    return picture if isinstance(picture, bytes) else None
