"""What killed and failed runs leave in the data folder, and when it is reclaimed.

    work/<fingerprint>/        an unfinished run: checkpoint, weights, measures; run again, it goes on
    work/<fingerprint>.lock    held while a run works in the folder
    mnist/*.part               an incomplete download, with what is needed to resume it
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

from pipelines.lock import locked_if_free
from pipelines.retrain.work import LOCK, lock_of

__all__ = ["MOST", "Leftover", "due", "find", "reclaim"]

MOST = 30
"""Of each kind, how many are kept, the newest. A run that fails anew every night leaves as many in a month."""

SPARED = timedelta(days=1)
"""How long nothing is removed for its number alone: a run that has just begun may still need it."""


@dataclass(frozen=True)
class Leftover:
    """A file or folder that only an unfinished run needs.

    Attributes:
        path: Where it is.
        kind: What messages call it.
        modified: When it, or a file in it, was last written to, in seconds since 1970.
        bytes: Its size, with all that is in it.
    """

    path: Path
    kind: str
    modified: float
    bytes: int


def find(data_dir: Path) -> list[Leftover]:
    """All that could be reclaimed one day, the newest first."""
    work, mnist = data_dir / "work", data_dir / "mnist"
    kinds = {
        "unfinished run": (path for path in work.glob("*") if path.suffix != LOCK),
        "incomplete download": (path for pattern in ("*.part", "*.part.json") for path in mnist.glob(pattern)),
        "damaged file": (mnist / "quarantine").glob("*"),
        "test of the preflight": data_dir.glob(".preflight-*"),
    }
    found = [leftover for kind, paths in kinds.items() for path in paths if (leftover := _measured(path, kind))]
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
    """Remove what is due, but nothing that a run works in at this moment.

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
            if _removed(leftover.path):
                removed.append(leftover)
        except OSError as error:
            say(f"cannot remove {leftover.path}, which no run needs any more: {error.strerror or error}")
    with suppress(OSError):
        for lock in (data_dir / "work").glob(f"*{LOCK}"):  # of runs that were killed
            if not lock.with_suffix("").exists():
                with locked_if_free(lock):
                    pass  # its end removes the file
    if removed:
        kinds = ", ".join(sorted({leftover.kind for leftover in removed}))
        size = sum(leftover.bytes for leftover in removed) / 1e6
        say(f"reclaimed {size:,.1f} MB of {data_dir}: {len(removed)} left by runs that never ended ({kinds})")
    return removed


def _removed(path: Path) -> bool:
    """Remove a file, or a folder that no run holds; whether it was removed."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return True
    with locked_if_free(lock_of(path)) as free:
        if free:
            shutil.rmtree(path)
        return free


def _measured(path: Path, kind: str) -> Leftover | None:
    """The leftover; None if another process has just removed it."""
    try:
        files = [file.lstat() for file in (path, *path.rglob("*"))]
    except OSError:
        return None
    return Leftover(path, kind, max(file.st_mtime for file in files), sum(file.st_size for file in files))
