"""The file of a picture, of which no more is read than may be used: paths come from users, and name anything."""

import errno
import os
import stat
from os import PathLike

from core.errors import PictureTooLargeError

__all__ = ["read_picture"]

KINDS = {
    stat.S_IFDIR: (errno.EISDIR, "a directory", "name the files in it"),
    stat.S_IFIFO: (errno.EINVAL, "a pipe", "save the picture in a file first"),
    stat.S_IFSOCK: (errno.EINVAL, "a socket", "save the picture in a file first"),
    stat.S_IFCHR: (errno.EINVAL, "a device", "save the picture in a file first"),
    stat.S_IFBLK: (errno.EINVAL, "a device", "save the picture in a file first"),
}
"""What a path may name that is no regular file: the error number, what it is called, and the next step."""


def read_picture(path: str | PathLike[str], most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises:
        PictureTooLargeError: It is larger; no more than `most` + 1 bytes were read.
        OSError: It cannot be read, or is no regular file: a directory, a pipe or a device, which might never end.
    """
    with open(path, "rb", opener=_open_regular) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= most:
            data = file.read(most + 1)  # some files are larger than they say, such as those of /proc
            size = max(size, len(data))
    if size > most:
        raise PictureTooLargeError(
            f"picture: {size:,} bytes, at most {most:,} are accepted; save it smaller or as JPEG"
        )
    return data


def _open_regular(path: str, flags: int) -> int:
    # Without waiting: a pipe would otherwise be opened only once another program writes to it.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    number, kind, step = KINDS.get(stat.S_IFMT(mode), (errno.EINVAL, "something else", "name a file"))
    raise OSError(number, f"it is {kind}, expected a regular file; {step}", path)
