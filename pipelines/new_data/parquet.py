"""A Parquet table of labeled pictures, as data sets on Hugging Face have it: columns `image` and `label`."""

import io
from collections.abc import Iterator
from typing import Any

from pipelines.new_data.reading import Reading

__all__ = ["LARGEST_TABLE", "NeedsPyarrowError", "read_parquet"]

LARGEST_TABLE = 512 * 1024 * 1024
"""Bytes of one file."""

_ROWS_AT_A_TIME = 1000


class NeedsPyarrowError(Exception):
    """The library that reads Parquet is not installed. What is installed may change, so this is never remembered."""

    def __init__(self) -> None:
        """Name the extra that installs it."""
        super().__init__(
            "reading Parquet needs pyarrow, which is not installed; install it with: pip install 'numeral[parquet]'"
        )


def read_parquet(table: bytes) -> Reading:
    """The pictures of a table. A picture is `{"bytes": …, "path": …}` or the bytes alone.

    Raises:
        NeedsPyarrowError: See there.
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
    except (pa.ArrowException, OSError, ValueError) as error:
        return Reading.fault(f"not a Parquet file that can be read: {str(error).partition(chr(10))[0]}")


def _rows(file: Any) -> Iterator[tuple[int, Any, bytes]]:
    number = 0
    for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=["image", "label"]):
        for image, label in zip(batch.column("image").to_pylist(), batch.column("label").to_pylist(), strict=True):
            picture = image.get("bytes") if isinstance(image, dict) else image
            yield number, label, picture if isinstance(picture, bytes) else b""
            number += 1
