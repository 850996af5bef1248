"""Files that are complete on disk or absent, whatever happens while they are written: a kill, a full disk, a power cut.

A file is written under another name in its folder and renamed once its bytes are on disk. The other name is a new one
each time, so that two processes that write the same file do not write into each other's.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import StorageError

__all__ = ["UNFINISHED", "storage_error", "sync_folder", "whole_file", "write_whole"]

UNFINISHED = ".*.tmp"
"""Matches the other names: what a killed process leaves behind."""

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and run again, which goes on where it stopped",
    errno.EDQUOT: "the disk quota is used up; free some space and run again, which goes on where it stopped",
    errno.EFBIG: "it is larger than the limit for files of this process (ulimit -f); raise the limit and run again",
    errno.EIO: "the disk reports an error; see the system's log, and choose a folder on another disk",
}

_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})
"""What network disks answer that cannot sync a folder."""


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which appears under its name once the block has ended without an error, or not at all.

    Raises:
        OSError: It cannot be written.
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
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, and its folder if that is missing: at any moment, either the old or the new file is complete.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(data)
    except OSError as error:
        raise storage_error(path, error) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: they are data of the folder, not of the files."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error that a file cannot be written, with its reason in words and what to do about it."""
    match error.errno:
        case errno.EROFS:
            mount = next(folder for folder in (path, *path.absolute().parents) if folder.is_mount())
            reason = f"the file system at {mount} is mounted read-only; mount it read-write, or choose another folder"
        case errno.EACCES | errno.EPERM:
            reason = f"user {os.geteuid()} may not write there{_owner(path)}; allow it, or choose another folder"
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR | errno.ELOOP:
            reason = f"something else is in its place, or in that of a folder above it ({error.strerror}); move it away"
        case number:
            reason = _REASONS.get(number or 0, str(error))
    return StorageError(f"cannot write {path}: {reason}")


def _owner(path: Path) -> str:
    """To whom the file belongs, or the nearest folder above it that exists."""
    for place in (path, *path.absolute().parents):
        try:
            found = place.stat()
        except OSError:
            continue
        return f": {place} belongs to user {found.st_uid} and has the mode {stat.filemode(found.st_mode)}"
    return ""
