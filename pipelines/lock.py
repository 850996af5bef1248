"""A lock that one process holds at a time, and that the system releases when it ends, even if it is killed.

It is a file, locked with `flock`, which says who holds it. Whoever releases it removes the file first, so that locks of
runs long past do not pile up; whoever has just locked a file that is no longer there under its name locks the new one.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.data.durable import storage_error

__all__ = ["Holder", "knows_no_locks", "lock_in", "locked", "locked_if_free"]

_LOOK_SECONDS = 0.2
"""Between two attempts. A thread that sleeps can be interrupted, unlike one that the system makes wait for a lock."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What network file systems answer that know no locks."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: The process.
        host: The machine that it runs on: on a network file system, perhaps not this one.
        since: In UTC, to the second.
    """

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        """As messages name it."""
        return f"process {self.pid} on {self.host}, since {self.since}"


def knows_no_locks(error: OSError) -> bool:
    """Whether this is what a file system answers that knows no locks."""
    return error.errno in _NO_LOCKS


def lock_in(folder: Path) -> Path:
    """The lock that a folder has in it, for those who change its files."""
    return folder / ".lock"


@contextmanager
def locked(path: Path, waiting: Callable[[str], None], say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock while the block lasts; wait for it first if another process, or another thread, holds it.

    Args:
        path: The lock's file; its folder is made if necessary.
        waiting: Called once with who holds it, before the wait. If it raises an error, there is no wait.
        say: Receives a warning if the file system knows no locks; the block is then entered without one.

    Raises:
        StorageError: The file cannot be made.
    """
    told = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = _try(path)
            break
        except BlockingIOError:
            if not told:
                waiting(_holder(path))
                told = True
            time.sleep(_LOOK_SECONDS)
        except OSError as error:
            if not knows_no_locks(error):
                raise storage_error(path, error) from error
            say(
                f"the file system of {path.parent} knows no locks ({error.strerror}), so nothing keeps two runs apart: "
                "do not start two at once with this --data-dir, or choose one on a local disk"
            )
            yield
            return
    with _released(path, file):
        yield


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock while the block lasts, if nobody else does; gives whether it is held.

    Raises:
        OSError: The file cannot be made, or the file system knows no locks.
    """
    try:
        file = _try(path)
    except BlockingIOError:
        yield False
        return
    with _released(path, file):
        yield True


def _try(path: Path) -> int:
    """Lock the file, and write into it who holds it: its descriptor.

    Raises:
        BlockingIOError: Another one holds it.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(file, path):
                holder = Holder(os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
                with suppress(OSError):  # on a full disk, it is held as well
                    os.truncate(file, 0)
                    os.write(file, json.dumps(asdict(holder)).encode())
                return file
        except BaseException as error:
            os.close(file)
            if isinstance(error, OSError) and knows_no_locks(error):
                path.unlink(missing_ok=True)  # nobody can hold it, and nobody would remove it
            raise
        os.close(file)  # its last holder removed it between the two calls: lock the file that is there now


@contextmanager
def _released(path: Path, file: int) -> Iterator[None]:
    """Remove and unlock the file at the end of the block."""
    try:
        yield
    finally:
        if _is_at(file, path):
            path.unlink(missing_ok=True)
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    """Whether the open file is the one under this name."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    """Who holds the lock, in words: its holder writes that a moment after it has locked the file."""
    try:
        return str(Holder(**json.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError):
        return "another process"
