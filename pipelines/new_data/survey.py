"""What lies in a folder of new data, found without following a link and without stopping at anything odd."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from core.errors import NewDataError
from core.regular_file import concerns_one_file, kind_of_file
from pipelines.new_data.item import shown

__all__ = ["FoundFile", "Surveyed", "survey"]

_IGNORED = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})
"""What file managers and archivers leave behind, besides hidden files."""


class FoundFile(NamedTuple):
    """A regular file.

    Attributes:
        path: Within the folder, with slashes.
        stamp: Size, time of modification and time of change, which tell a changed file from an unchanged one. The last
            one cannot be set by a program, so a file that was replaced by another of the same size and date is noticed.
    """

    path: str
    stamp: tuple[int, int, int]


class Surveyed(NamedTuple):
    """What was found.

    Attributes:
        files: All regular files, sorted by their paths, so that the order of the folder's own listing plays no part.
        faults: What is no regular file or cannot be entered, by its path, with the reason.
    """

    files: list[FoundFile]
    faults: dict[str, str]


def survey(folder: Path) -> Surveyed:
    """All regular files below a folder, at any depth. Hidden files and folders are passed over in silence.

    Raises:
        NewDataError: The folder itself cannot be listed, or the storage has failed. A part of it that cannot be reached
            for the moment is no smaller folder: the training would learn from the rest alone.
    """
    found = Surveyed([], {})
    to_visit = [""]
    while to_visit:
        below = to_visit.pop()
        try:
            with os.scandir(folder / below) as listing:
                entries = list(listing)
        except OSError as error:
            if not below:
                raise NewDataError(
                    f"new data: cannot list {shown(folder)}: {error.strerror}; name a folder of labeled pictures with "
                    "--extra"
                ) from error
            found.faults[below] = f"cannot be listed: {_reason(error, folder / below)}"
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _IGNORED:
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # removed meanwhile
                continue
            except OSError as error:
                found.faults[path] = f"cannot be read: {_reason(error, folder / path)}"
                continue
            if stat.S_ISDIR(status.st_mode):
                to_visit.append(path)
            elif stat.S_ISREG(status.st_mode):
                found.files.append(FoundFile(path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns)))
            else:
                found.faults[path] = f"{kind_of_file(status.st_mode)}, where a file is expected"
    found.files.sort()
    return found


def _reason(error: OSError, path: Path) -> str:
    """What is wrong with one entry.

    Raises:
        NewDataError: The error is of the whole storage, or of this process.
    """
    if not concerns_one_file(error):
        raise NewDataError(
            f"new data: cannot read {shown(path)}: {error.strerror}; run again once its storage answers"
        ) from error
    return error.strerror or str(error)
