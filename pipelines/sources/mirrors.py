"""What every mirror is: a place that has the four files under their names, gzipped or plain.

A mirror downloads a file into a part in the cache folder, and returns the part only if its unpacked bytes have the
pinned digest. One kind of mirror is in `folder`, the other in `web`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from core.data.mnist import MnistFile
from core.errors import DataError
from pipelines.sources.errors import OtherDataError, RefusedError
from pipelines.sources.lookalikes import other_data
from pipelines.sources.parts import Part, verify

__all__ = ["SUFFIXES", "Mirror", "Say", "check", "largest"]

Say = Callable[[str], None]
"""Receives messages for people."""

SUFFIXES = (".gz", "")
"""Of the file's name, in the order in which they are tried."""


class Mirror(Protocol):
    """A source of files.

    Attributes:
        name: Its address, without secrets.
        down: Why it is skipped for the rest of this run; None while it works.
    """

    name: str
    down: str | None

    def deliver(self, file: MnistFile, folder: Path, say: Say) -> Part:
        """Download a file into `folder`.

        Returns:
            A part with the pinned bytes, gzipped or plain.

        Raises:
            MirrorError: This mirror cannot deliver it.
            OSError: The folder cannot be written.
        """


def check(part: Part, file: MnistFile) -> None:
    """Check that a part has the pinned bytes; discard it if not.

    Raises:
        OtherDataError: It is a sound file of another data set.
        RefusedError: It has other bytes.
    """
    try:
        verify(part.path, file)
    except DataError as error:
        other = other_data(part.path, file)
        part.discard()
        if other:
            raise OtherDataError(f"has {other}") from error
        raise RefusedError(f"has other bytes ({error})") from error


def largest(file: MnistFile) -> int:
    """The largest size in bytes that a packed file can have: gzip adds little even to incompressible data."""
    return file.size + file.size // 100 + 4096
