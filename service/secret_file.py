"""Files that hold certificates, keys or tokens: read whole, or refused with what is wrong with the file."""

import os
import stat
from pathlib import Path

from core.errors import ConfigError

__all__ = ["LARGEST_BYTES", "exposed", "read"]

LARGEST_BYTES = 1024 * 1024
"""Far more than any such file needs."""

_MARKS = {
    b"\xef\xbb\xbf": "begins with a byte-order mark",
    b"\xff\xfe": "is UTF-16 text",
    b"\xfe\xff": "is UTF-16 text",
}
"""The first bytes of text that some editors save, and that no reader of PEM files or tokens expects."""

_OTHERS = stat.S_IROTH | stat.S_IWOTH


def read(file: Path, place: str, *, private: bool) -> bytes:
    """The contents of a file, which are neither empty nor marked as an encoding other than plain text.

    Args:
        file: The file.
        place: What it holds and its name, for messages, such as "tokens /etc/numeral/tokens".
        private: Whether only its owner and its group may have access to it.

    Raises:
        ConfigError: It cannot be read, or is no such file. The message begins with `place`.
    """
    try:
        found = file.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ConfigError(f"{place}: is a folder; expected a file")
        if not stat.S_ISREG(found.st_mode):  # a pipe would block, and a device may never end
            raise ConfigError(f"{place}: is a pipe or a device; expected a file")
        if found.st_size > LARGEST_BYTES:
            raise ConfigError(f"{place}: is larger than {LARGEST_BYTES:,} bytes; is it another file?")
        contents = file.read_bytes()
    except PermissionError as error:
        raise ConfigError(f"{place}: cannot be read: {error.strerror}; let user {os.geteuid()} read it") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{place}: cannot be read: {_reason(error)}") from error
    if private and found.st_mode & _OTHERS:
        raise ConfigError(f"{place}: any user of this machine can read or change it; run: chmod o= {file}")
    if not contents.strip():
        raise ConfigError(f"{place}: is empty")
    for mark, finding in _MARKS.items():
        if contents.startswith(mark):
            raise ConfigError(f"{place}: {finding}; save it as UTF-8 text without a byte-order mark")
    return contents


def exposed(file: Path) -> bool:
    """Whether any user of this machine can read or change a file; False for one that is not there."""
    try:
        return bool(file.stat().st_mode & _OTHERS)
    except OSError:
        return False


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
