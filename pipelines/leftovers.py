"""What killed and failed runs leave in the data folder, and when it is reclaimed.

    work/<fingerprint>/        an unfinished run: checkpoint, weights, measures; run again, it goes on
    work/<fingerprint>.lock    held while a run works in the folder
    judges/                    a judge of new data that had to be trained, and judges' answers: dated by their last use
    score/<table>/             an unfinished scoring: the rows of its parts, and what it has unpacked
    mnist/*.part               an incomplete download, with what is needed to resume it
    mnist/.lock                held while a process downloads
    mnist/quarantine/          files that were found damaged

A run that ends removes what it has written. The rest is kept for some days, because it saves work or explains a fault,
and then removed at the start of the next run; and sooner if there is too much of it.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipelines.lock import knows_no_locks, lock_in, locked_if_free
from pipelines.retrain.work import LOCK, lock_of

__all__ = ["MOST", "Leftover", "due", "find", "reclaim"]

MOST = 30
"""Of each kind, how many are kept, the newest. A run that fails anew every night leaves as many in a month."""

SPARED = timedelta(days=1)
"""How long nothing is removed for its number alone: a run that has just begun may still need it."""

_LOCKED = {"unfinished run": "work", "unfinished scoring": "score", "judge of new data": "judges"}
"""The folders whose entries each have a lock beside them, by the kind of what is left there."""


@dataclass(frozen=True)
class Leftover:
    """A file or folder that only an unfinished run needs.

    Attributes:
        path: Where it is.
        kind: What messages call it.
        modified: When it, or a file in it, was last written to, in seconds since 1970.
        bytes: Its size, with all that is in it.
        lock: What is held by whoever works with it; None if nobody does any more.
    """

    path: Path
    kind: str
    modified: float
    bytes: int
    lock: Path | None = None


def find(data_dir: Path) -> list[Leftover]:
    """All that could be reclaimed one day, the newest first."""
    mnist = data_dir / "mnist"
    candidates = [
        *(
            (kind, path, lock_of(path))
            for kind, folder in _LOCKED.items()
            for path in (data_dir / folder).glob("*")
            if path.suffix != LOCK
        ),
        *(
            ("incomplete download", path, lock_in(mnist))
            for end in (".part", ".part.json")
            for path in mnist.glob(f"*{end}")
        ),
        *(("damaged file", path, None) for path in (mnist / "quarantine").glob("*")),
        *(("test of the preflight", path, None) for path in data_dir.glob(".preflight-*")),
    ]
    found = [leftover for kind, path, lock in candidates if (leftover := _measured(path, kind, lock))]
    return sorted(found, key=lambda leftover: leftover.modified, reverse=True)


def due(found: Sequence[Leftover], *, now: float, keep: timedelta) -> list[Leftover]:
    """Which of them are to be removed: the old ones, and those beyond the newest `MOST` of their kind.

    Args:
        found: The newest first.
        now: In seconds since 1970.
        keep: How long one is kept.
    """
    seen: dict[str, int] = {}
    removed = []
    for leftover in found:
        seen[leftover.kind] = seen.get(leftover.kind, 0) + 1
        age = timedelta(seconds=now - leftover.modified)
        if age > keep or (seen[leftover.kind] > MOST and age > SPARED):
            removed.append(leftover)
    return removed


def reclaim(data_dir: Path, keep: timedelta, say: Callable[[str], None]) -> list[Leftover]:
    """Remove what is due, but nothing that a run works with at this moment.

    Args:
        data_dir: The data folder; a missing one holds nothing.
        keep: How long leftovers are kept.
        say: Receives a message if anything was removed, or could not be.

    Returns:
        What was removed.
    """
    removed = []
    for leftover in due(find(data_dir), now=time.time(), keep=keep):
        try:
            if _removed(leftover):
                removed.append(leftover)
        except OSError as error:
            say(f"cannot remove {leftover.path}, left by a run that never ended: {error.strerror or error}")
    with suppress(OSError):
        for lock in (lock for folder in _LOCKED.values() for lock in (data_dir / folder).glob(f"*{LOCK}")):
            if not lock.with_suffix("").exists():
                with locked_if_free(lock):
                    pass  # its end removes the file
    if removed:
        kinds = ", ".join(sorted({leftover.kind for leftover in removed}))
        size = sum(leftover.bytes for leftover in removed) / 1e6
        say(f"reclaimed {size:,.1f} MB of {data_dir}: {len(removed)} left by runs that never ended ({kinds})")
    return removed


def _removed(leftover: Leftover) -> bool:
    """Remove a file or a folder, unless its lock is held; whether it was removed.

    Where the file system knows no locks, what was written to within a day may be in use.
    """
    if leftover.lock is None:
        _remove(leftover.path)
        return True
    try:
        with locked_if_free(leftover.lock) as free:
            if free:
                _remove(leftover.path)
            return free
    except OSError as error:
        if not knows_no_locks(error):
            raise
    idle = time.time() - leftover.modified > SPARED.total_seconds()
    if idle:
        _remove(leftover.path)
    return idle


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _measured(path: Path, kind: str, lock: Path | None) -> Leftover | None:
    """The leftover; None if another process has just removed it."""
    try:
        files = [file.lstat() for file in (path, *path.rglob("*"))]
    except OSError:
        return None
    return Leftover(path, kind, max(file.st_mtime for file in files), sum(file.st_size for file in files), lock)
