"""Which documents were found to carry the right digest, remembered from one command to the next.

The digest that a manifest carries is that of its canonical JSON, most of whose time Python spends on writing floats.
Once it was right, it is right for the same bytes for ever. So the sha256 of the bytes of each such document is kept,
and nothing else: no field of it, no place where it lies. Whoever lists versions reads each manifest all the same,
and a changed bit gives another sha256, which is not among those that are kept.

    <release and format>, one line
    32 bytes for each document, the one that was added last at the end
    the sha256 of all before, 32 bytes

The file, `checked-documents`, holds for all repositories, wherever they lie. It only saves time: if it is missing,
damaged, of another release, or cannot be written, each document is checked as if it was read for the first time.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.command_line import software_version
from core.data.durable import whole_file
from core.regular_file import read_regular

__all__ = ["MOST", "remembered"]

FORMAT = 1
"""To be increased when what is right changes, or how it is kept, also between releases."""

MOST = 100_000
"""Documents that are kept, the ones that were added last: 3 MB."""

SIZE = 32
"""Bytes of a sha256."""

ABANDONED_AFTER = 3600.0
"""Seconds. An unfinished file that is older was left by a process that was killed: writing it takes a moment."""


@contextmanager
def remembered(folder: Path | None) -> Iterator[set[bytes]]:
    """The sha256 of each document that is known to be right. Those that the block adds are known from then on.

    Any number of processes may do so at once. If two add to it at the same moment, what one of them has added may be
    lost, and is checked again.

    Args:
        folder: Where they are kept, if it can be written; None for nowhere.
    """
    if folder is None:
        yield set()
        return
    file = folder / "checked-documents"
    before = frozenset(_read(file))
    known = set(before)
    yield known
    if added := known - before:
        with suppress(OSError):  # a full disk, a read-only home, something else in its place: it is not remembered
            _add(file, added)


def _head() -> bytes:
    return f"numeral {software_version()}, checked documents {FORMAT}\n".encode()


def _read(file: Path) -> list[bytes]:
    """What a file holds, in its order; nothing if it cannot be read, or is not as this release wrote it."""
    head = _head()
    try:
        data = read_regular(file, len(head) + (MOST + 1) * SIZE)
    except OSError:
        return []
    kept, digest = data[:-SIZE], data[-SIZE:]
    if not kept.startswith(head) or hashlib.sha256(kept).digest() != digest:
        return []
    return [kept[start : start + SIZE] for start in range(len(head), len(kept), SIZE)]


def _add(file: Path, added: set[bytes]) -> None:
    """Replace the file by one that holds more.

    Raises:
        OSError: It cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    earlier = _read(file)  # again: another process may have added to it meanwhile
    kept = _head() + b"".join([*(each for each in earlier if each not in added), *added][-MOST:])
    with whole_file(file) as opened:
        opened.write(kept + hashlib.sha256(kept).digest())
    for left in file.parent.glob(f".{file.name}.*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > ABANDONED_AFTER:
                left.unlink()
