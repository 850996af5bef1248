"""A Parquet table of pictures, read row group by row group: a column of bytes, or of Hugging Face's {bytes, path}."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import ConfigError, DataError
from core.regular_file import concerns_one_file
from pipelines.new_data.parquet import NEEDS_PYARROW, picture_in

__all__ = ["needs_pyarrow", "pictures_of", "row_groups"]

_BUFFER = 1 << 20
"""Bytes of a column that are read at a time. Without a limit, all of a row group would be in memory."""

_PREFERRED = "image"
"""The column that is read where there are several."""


def needs_pyarrow(what: str) -> ConfigError:
    """The error that the library for Parquet is not installed."""
    return ConfigError(f"{what} {NEEDS_PYARROW}")


def row_groups(path: str) -> tuple[str, list[int]]:
    """The column of pictures, and the number of rows in each row group.

    Raises:
        ConfigError: pyarrow is not installed.
        DataError: It is no Parquet table, or has no column of pictures, or several.
        MemoryError: There is not enough memory at the moment.
        OSError: The storage has failed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise needs_pyarrow(f"{path}: reading Parquet") from error
    try:
        with parquet.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    except MemoryError:  # an ArrowException, too
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None and not concerns_one_file(error):
            raise
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: not a Parquet table that can be read: {reason}; write it again") from error
    columns = [field.name for field in schema if _holds_bytes(field.type)]
    if _PREFERRED in columns:
        return _PREFERRED, groups
    if len(columns) != 1:
        found = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise DataError(
            f"{path}: {len(columns)} columns of bytes, found {found}; expected one column of encoded pictures, or one "
            f"that is called {_PREFERRED}"
        )
    return columns[0], groups


def pictures_of(path: Path, column: str, group: int, start: int, count: int) -> Iterator[bytes | str]:
    """Some pictures of one row group, in order, as their encoded bytes; or why a row has none.

    The row group is read from its first row, because a row has no place of its own in the file, and passed through in
    batches. A damaged row group gives a reason for each row that is left.

    Args:
        path: The table.
        column: The column of pictures.
        group: The row group.
        start: The first row within it.
        count: How many rows.

    Raises:
        ConfigError: pyarrow is not installed.
        MemoryError: There is not enough memory at the moment.
        OSError: The storage has failed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise needs_pyarrow(f"{path}: reading Parquet") from error
    done, at = 0, 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER) as file:
            for batch in file.iter_batches(batch_size=512, row_groups=[group], columns=[column]):
                rows = batch.column(0)[max(start - at, 0) : start + count - at] if at + len(batch) > start else ()
                at += len(batch)
                for row in rows:
                    done += 1
                    picture = picture_in(row.as_py())
                    yield "there are no bytes in this row" if picture is None else picture
                if done == count:
                    return
    except MemoryError:  # an ArrowException, too
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the system: the storage failed, while pyarrow's own errors are about what it has read
        reason = str(error).partition("\n")[0]
        for _ in range(count - done):
            yield f"the table is damaged in row group {group}: {reason}"


def _holds_bytes(kind: Any) -> bool:
    import pyarrow.types as of

    if of.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _holds_bytes(kind.field(place).type)
    return bool(of.is_binary(kind) or of.is_large_binary(kind) or of.is_fixed_size_binary(kind))
