"""The fragments of all parts → the one table, part by part."""

import errno
import io
import os
from collections.abc import Iterator
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from core.data.durable import storage_error, whole_file
from core.errors import StorageError
from pipelines.lock import locked
from pipelines.score.fragment import COLUMNS, Format, Fragment, Tally, arrow_schema
from pipelines.voice import say

__all__ = ["check_place", "lock_beside", "refuse", "write_table"]

_ROW_GROUP = 1 << 16
"""Rows from which a row group is complete: some megabytes."""


def write_table(table: Path, kind: Format, fragments: Iterator[Path], metadata: dict[str, str]) -> Tally:
    """Put the fragments together; the table appears whole, or not at all.

    Args:
        table: The file. If it is a link, the file that this leads to is replaced, and the link stays.
        kind: Its format, that of the fragments too.
        fragments: Where each one is kept, in the order of the rows.
        metadata: What a Parquet table says of itself; the other formats have no room for it.

    Returns:
        What all rows say, counted.

    Raises:
        StorageError: It cannot be written, or another run writes it at this moment.
    """
    tally, target = Tally(), _target(table)
    with locked(lock_beside(table), lambda holder: refuse(table, holder), say):
        try:
            for unfinished in target.parent.glob(f".{escape(target.name)}.{'[0-9a-f]' * 16}.tmp"):
                unfinished.unlink()  # of a run that was killed here: whoever writes this table holds its lock
            with whole_file(target) as file:
                if kind is Format.PARQUET:
                    _join_parquet(file, _read(fragments, tally), metadata)
                else:
                    if kind is Format.CSV:
                        file.write(",".join(COLUMNS).encode() + b"\n")
                    for fragment in _read(fragments, tally):
                        file.write(fragment.rows)
        except OSError as error:
            raise storage_error(table, error) from error
    return tally


def lock_beside(table: Path) -> Path:
    """What is held by whoever writes a table: beside it, since two runs may have other data folders."""
    target = _target(table)
    return target.with_name(f".{target.name}.lock")


def refuse(table: Path, holder: str) -> None:
    """Raise the error that another run writes the table, `holder` in words."""
    raise StorageError(
        f"{table}: another run ({holder}) writes this table; wait until it has ended, or choose another --output"
    )


def _read(fragments: Iterator[Path], tally: Tally) -> Iterator[Fragment]:
    for path in fragments:
        fragment = Fragment.read(path)
        tally.add(fragment.tally)
        yield fragment


def _join_parquet(file: BinaryIO, fragments: Iterator[Fragment], metadata: dict[str, str]) -> None:
    """Parts are gathered to row groups of some size: readers of many small ones are slow."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = arrow_schema().with_metadata(metadata)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        waiting: list[Any] = []
        for fragment in fragments:
            waiting.append(parquet.read_table(io.BytesIO(fragment.rows)).replace_schema_metadata(schema.metadata))
            if sum(map(len, waiting)) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def check_place(table: Path) -> None:
    """Check, before anything is read, that the table can be written.

    Raises:
        StorageError: Its folder does not exist, or may not be written to; or a folder has its name.
    """
    try:
        if table.is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory", str(table))
        folder = _target(table).parent
        if not folder.is_dir():
            folder.mkdir(parents=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
    except OSError as error:
        raise storage_error(table, error) from error


def _target(table: Path) -> Path:
    """The file itself, whatever links and paths lead to it."""
    return Path(os.path.realpath(table))
