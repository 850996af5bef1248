"""Regular files, and nothing else: what lies in a folder that other people fill may be anything.

A FIFO makes whoever opens it wait for a writer, a device may never end, a link may lead out of the folder or round and
round, and a file may be larger than memory. None of them is read here, and none of them makes the reader wait.
"""

import errno
import os
import stat
from os import PathLike

__all__ = [
    "IrregularFileError",
    "LargeFileError",
    "concerns_one_file",
    "kind_of_file",
    "read_regular",
    "why_unreadable",
]

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a link",
}

_OF_ALL = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
    }
)
"""Errors of this process or of the whole storage: the next file would fail as well, and later it may succeed."""


class IrregularFileError(OSError):
    """There is something at this path, but no regular file."""


class LargeFileError(OSError):
    """The file has more bytes than will be read."""


def read_regular(path: str | PathLike[str], most: int, *, follow: bool = False) -> bytes:
    """The bytes of a regular file. It never waits, whatever is at the path.

    Args:
        path: Where it is.
        most: The most bytes that it may have; of a larger file, no more than `most` + 1 are read.
        follow: Whether the last part of the path may be a link.

    Raises:
        FileNotFoundError: There is nothing at this path.
        IrregularFileError: There is a folder, a FIFO, a socket, a device, or a link that is not to be followed.
        LargeFileError: It has more bytes.
        OSError: It cannot be read; `concerns_one_file` tells whether others can be.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise IrregularFileError(errno.ELOOP, "a link", os.fspath(path)) from error
        if error.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
            raise IrregularFileError(error.errno, "a socket or a device", os.fspath(path)) from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise IrregularFileError(errno.EINVAL, kind_of_file(status.st_mode), os.fspath(path))
    with os.fdopen(descriptor, "rb") as file:
        size = status.st_size
        if size <= most:
            data = file.read(size + 1) or b""  # not `most`: so much memory would be taken for every file
            if len(data) > size:  # some files are larger than they say, such as those of /proc
                data += file.read(most + 1 - len(data)) or b""
            size = max(size, len(data))
        if size > most:
            raise LargeFileError(errno.EFBIG, f"{size:,} bytes, expected at most {most:,}", os.fspath(path))
    return data


def kind_of_file(mode: int) -> str:
    """What a file of this mode is called, such as "a folder"."""
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def concerns_one_file(error: OSError) -> bool:
    """Whether an error says something about this file alone, so that others may still be read."""
    return error.errno not in _OF_ALL


def why_unreadable(error: OSError) -> str:
    """What is wrong with a file that `read_regular` does not read, as the end of a sentence that has named it."""
    reason = error.strerror or str(error)
    if isinstance(error, IrregularFileError):
        return f"{reason}, where a file is expected"
    if isinstance(error, LargeFileError):
        return reason
    return f"cannot be read: {reason}"
