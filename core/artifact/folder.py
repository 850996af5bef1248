"""What lies below a local folder, found and read without stopping at anything odd.

An object store's own listing of a folder fails as a whole at the first entry that it cannot enter or name: one version
with the wrong permissions, one loop of links or one name in another encoding would hide all the others. This one goes
on, and says what it met. It follows symbolic links, opens only regular files, and never waits for a FIFO.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from core.errors import DamagedVersionError, UnreadableEntryError
from core.regular_file import IrregularFileError, LargeFileError, kind_of_file, read_regular, why_unreadable

__all__ = ["StoredObject", "Survey", "read_file", "survey_folder"]

_UNFINISHED = re.compile(r"[^#]+#[0-9]+")
"""What a file is called that is still being written; see `core.artifact.creation`."""

_LISTED = re.compile(r"[^/]+(/[^/]+|/aliases/[^/]+)?")
"""The folders of a repository that hold anything, see `core.artifact.repository`. No other is entered: a version that
is a link to /proc/self, to / or to what contains it would lead through the whole system, or round and round."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_OF_THE_ENTRY = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP})
"""Errors of one entry; any other error is one of the storage."""

_TO_BE_READ = "the user that runs this must be able to read it, e.g. after chmod -R a+rX on it"


class StoredObject(NamedTuple):
    """One entry of a listing."""

    path: str
    size: int
    modified: datetime
    e_tag: str | None


class Survey(NamedTuple):
    """What a listing has found.

    Attributes:
        objects: The objects, in the order of their paths.
        faults: For each path that is not an object that can be read, what is wrong with it, and what to do.
        unfinished: Files that are still being written, or that a killed writer has left behind.
        hidden: Those of the faults that this user may not look into: behind them may be anything.
    """

    objects: list[StoredObject]
    faults: dict[str, str]
    unfinished: list[StoredObject]
    hidden: set[str]


def survey_folder(root: Path, prefix: str) -> Survey:
    """All regular files below `root/prefix` that may belong to a repository; none if there is nothing of that name.

    Raises:
        OSError: The folder itself cannot be read.
    """
    found = Survey([], {}, [], set())
    top = os.fspath(root / prefix)
    to_visit = [(top, prefix)]
    while to_visit:
        folder, path = to_visit.pop()
        try:
            entries = os.scandir(folder)
        except OSError as error:
            if error.errno in _ABSENT:
                continue
            if folder is top:
                raise
            _record_fault(found, path, error)
            continue
        with entries:
            for entry, below, status in _readable(entries, path, found):
                if _record(found, entry.name, below, status):
                    to_visit.append((entry.path, below))
    found.objects.sort()
    return found


def read_file(file: Path, name: str, most: int) -> bytes | None:
    """The bytes of a regular file; None if there is nothing at this path.

    Args:
        file: Where it is.
        name: What messages call it.
        most: The most bytes that are read.

    Raises:
        DamagedVersionError: It has more bytes.
        UnreadableEntryError: There is something, but no file that may be read.
        OSError: The storage has failed.
    """
    try:
        return read_regular(file, most, follow=True)
    except LargeFileError as error:
        raise DamagedVersionError(f"{name}: {why_unreadable(error)}") from error
    except IrregularFileError as error:
        raise UnreadableEntryError(f"{name}: {why_unreadable(error)}; remove it") from error
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        if error.errno in _OF_THE_ENTRY:
            raise UnreadableEntryError(f"{name}: {_fault(error)}") from error
        raise


def _readable(
    entries: Iterator["os.DirEntry[str]"], path: str, found: Survey
) -> Iterator[tuple["os.DirEntry[str]", str, os.stat_result]]:
    """The entries of a folder with their status, except those that have none or no proper name."""
    for entry in entries:
        if not entry.name.isprintable():
            continue  # no name that Numeral writes; bytes that are no text are unprintable here
        below = f"{path}/{entry.name}"
        try:
            yield entry, below, entry.stat()
        except OSError as error:
            if _UNFINISHED.fullmatch(entry.name):
                continue
            if error.errno != errno.ENOENT:
                _record_fault(found, below, error)
            elif entry.is_symlink():
                found.faults[below] = "a link to nothing; remove it"
            # otherwise it was removed meanwhile


def _record(found: Survey, name: str, path: str, status: os.stat_result) -> bool:
    """Add an entry to what was found.

    Returns:
        Whether it is a folder to be entered.
    """
    regular = stat.S_ISREG(status.st_mode)
    if _UNFINISHED.fullmatch(name):
        if regular:
            found.unfinished.append(_object(path, status))
    elif regular:
        found.objects.append(_object(path, status))
    elif not stat.S_ISDIR(status.st_mode) or path.endswith(".json"):
        found.faults[path] = f"{kind_of_file(status.st_mode)}, where a file is expected; remove it"
    else:
        return _LISTED.fullmatch(path) is not None
    return False


def _object(path: str, status: os.stat_result) -> StoredObject:
    """The mode and the owner count among what may change: they decide whether it can be read."""
    tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_mode:o}-{status.st_uid}-{status.st_gid}"
    return StoredObject(path, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC), tag)


def _record_fault(found: Survey, path: str, error: OSError) -> None:
    found.faults[path] = _fault(error)
    if error.errno != errno.ELOOP:
        found.hidden.add(path)


def _fault(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "a loop of links; remove it"
    return f"cannot be read: {error.strerror}; {_TO_BE_READ}"
