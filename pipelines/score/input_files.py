"""What the command line names → the files to read, in an order of their names alone, and what is in each."""

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, NamedTuple

from core.data.gunzip import GZIP_MAGIC, gunzip
from core.data.header import DTYPES
from core.errors import ConfigError, IdxError
from core.local_path import local_path
from core.regular_file import concerns_one_file

__all__ = ["Content", "InputFile", "contains", "input_files"]

_PARQUET_MAGIC = b"PAR1"
_PASSED_OVER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""What file managers and archivers add to folders."""

_Parts = tuple[str, ...]
"""A pattern, or what is left of it below some folder: the patterns of folders, then that of files."""

_ALL: _Parts = ("**",)


class Content(Enum):
    """What is in a file. Its first bytes decide, never its name."""

    IDX = "idx"
    LABELS = "labels"
    PARQUET = "parquet"
    PICTURE = "picture"


class InputFile(NamedTuple):
    """One file to read.

    Attributes:
        given: What the command line named, by which this was found.
        path: The file, absolute or relative as that was.
    """

    given: str
    path: str

    @property
    def named(self) -> bool:
        """Whether the command line named the file itself."""
        return self.given == self.path


def input_files(inputs: Sequence[str], *, without: Path) -> Iterator[InputFile]:
    """The files that are named, that lie in a folder that is named, or that match a pattern.

    Folders are gone through whole, in the order of names. Of what a pattern matches, files alone are taken. In both,
    hidden files and folders are passed over (in a pattern, unless it has the dot), and links to folders are not
    followed, other than those that are named. A link that leads nowhere, or round and round, counts as a file: whoever
    reads it says why it cannot be read. Nothing is remembered but the names of one folder and of those above it.

    Args:
        inputs: Paths of files and folders, and patterns as `glob` reads them; ** stands for any folders.
        without: The table. It may lie among the pictures, where it is passed over.

    Raises:
        ConfigError: Something does not exist, a pattern matches nothing, or a URL or the table itself is named.
        OSError: A folder cannot be listed.
    """
    table = os.path.realpath(without)
    for given in inputs:
        there = os.path.lexists(given)
        if not there and "://" in given:
            local_path(Path(given), "INPUT")
        if there:
            if Path(given).is_dir():
                yield from _below(given, given, {_ALL}, table)
                continue
            if _same(given, table):
                raise ConfigError(
                    f"INPUT {given}: --output {without} is this same file, which the table would replace; choose "
                    "another --output"
                )
            yield InputFile(given, given)
        elif glob.has_magic(given):
            folder, parts = _divided(given)
            found = False
            for file in _below(given, folder, {parts}, table) if Path(folder).is_dir() else ():
                found = True
                yield file
            if not found:
                raise ConfigError(
                    f"INPUT {given}: no file matches this pattern; is it quoted, and in the right folder?"
                )
        else:
            raise ConfigError(
                f"INPUT {given}: no such file or folder; expected pictures, IDX files, Parquet tables, a "
                "folder, or a quoted pattern such as 'scans/*.png'"
            )


def contains(path: str) -> Content:
    """What is in a file. One that cannot be opened counts as a picture: it costs one row, which says why.

    Raises:
        OSError: The storage has failed, or this process can open no more files: the next one would fail as well.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Content.PICTURE  # a FIFO, say, of which nothing is read
            return _content(_head(file, path))
    except OSError as error:
        if not concerns_one_file(error):
            raise
        return Content.PICTURE


def _content(head: bytes) -> Content:
    if head == _PARQUET_MAGIC:
        return Content.PARQUET
    if len(head) == 4 and head[:2] == b"\0\0" and head[2] in DTYPES:
        # An IDX file of another rank is no picture either: its error says what it is.
        return Content.LABELS if head[3] == 1 else Content.IDX
    return Content.PICTURE


def _head(file: BinaryIO, path: str) -> bytes:
    """The first four bytes, of what is packed if the file is gzipped."""
    head = file.read(4)
    if not head.startswith(GZIP_MAGIC):
        return head
    file.seek(0)
    unpacked = b""
    with suppress(IdxError):  # damaged before anything could be unpacked: no picture, as its row will say
        for chunk in gunzip(file, name=path, limit=sys.maxsize):
            unpacked += chunk
            if len(unpacked) >= 4:
                break
    return unpacked[:4]


def _without_waiting(path: str, flags: int) -> int:
    """Open a file. Nobody may ever write to a FIFO, and then this would wait for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _below(given: str, folder: str, wanted: set[_Parts], table: str) -> Iterator[InputFile]:
    """The files below a folder whose paths match one of some patterns, in the order of names."""
    with os.scandir(folder or ".") as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        left = _left(entry.name, wanted)
        path = os.path.join(folder, entry.name)  # noqa: PTH118 — which would drop the ./ that was given
        if entry.is_dir(follow_symlinks=False):
            if below := left - {()}:
                yield from _below(given, path, below, table)
        elif left & {(), _ALL} and _is_file(entry, table):
            yield InputFile(given, path)


def _left(name: str, wanted: set[_Parts]) -> set[_Parts]:
    """What is left of patterns below a file or folder of this name; () means that a file matches."""
    left = set()
    for parts in wanted:
        if parts[:1] == _ALL:
            if not _passed_over(name, ""):
                left.add(parts)
            left |= _left(name, {parts[1:]})
        elif parts and fnmatchcase(name, parts[0]) and not _passed_over(name, parts[0]):
            left.add(parts[1:])
    return left


def _passed_over(name: str, pattern: str) -> bool:
    """Whether a name is not looked at, unless the pattern gives it: as it is, or with the dot of what is hidden."""
    hidden = name.startswith(".") and not pattern.startswith(".")
    return hidden or (name in _PASSED_OVER and name != pattern)


def _divided(pattern: str) -> tuple[str, _Parts]:
    """The folder that a pattern begins at, which may be a link, and the parts below it."""
    parts = pattern.split("/")
    literal = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    folder = "/".join(parts[:literal])
    kept = [part for part in parts[literal:-1] if part not in ("", ".")]
    return folder + "/" * (literal > 0), (*kept, parts[-1])


def _is_file(entry: "os.DirEntry[str]", table: str) -> bool:
    """Whether an entry that is no folder is to be read: a file, or a link to anything but a folder, but not the table.

    A link is the table if it leads to where that will be, though it may not be there yet.
    """
    linked = entry.is_symlink()
    if (linked or entry.name == Path(table).name) and os.path.realpath(entry.path) == table:
        return False
    if linked:
        return not os.path.isdir(entry.path)  # noqa: PTH112 — Path.is_dir raises where nobody may look
    return entry.is_file()


def _same(path: str, table: str) -> bool:
    """Whether a path leads to the table, which may not be there yet."""
    if os.path.realpath(path) == table:
        return True
    try:
        return Path(path).samefile(table)
    except OSError:
        return False
