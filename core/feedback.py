"""Feedback: pictures that users sent with the digit that they really show, one small file each, in one folder.

    <folder>/3f…a0.json               an item; its name is the sha256 of the framed picture and the digit
    <folder>/discarded/9b…17          the name of one that a reviewer has taken out

The service writes it and the next training reads it; neither knows the other. As the name covers what a training
learns from, the same item sent twice is one file, and a file that was damaged is noticed. Nothing is overwritten: where
somebody says 1 and somebody else 7 of the same picture, both stand, and neither is used until one of them is discarded,
for nobody here can tell who is right.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.artifact.manifest import Base64Bytes
from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError

__all__ = ["FeedbackFolder", "FeedbackItem"]

ABANDONED_AFTER = 3600.0
"""Seconds after which a file that was not written to its end belongs to a writer that was killed."""

_NAME = re.compile(r"[0-9a-f]{64}")
_DIGITS = range(10)
_Pixels = Annotated[Base64Bytes, Field(min_length=784, max_length=784)]


class FeedbackItem(BaseModel):
    """A picture, and the digit that it shows according to whoever sent it.

    Attributes:
        digit: 0 to 9.
        pixels: 784 bytes, row by row, 0 background to 255 ink: the picture as a network sees it.
        original: The encoded picture that it was framed from; None where pixels were sent.
        received: When it came, UTC.
        reply_id: The answer that it is about, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    digit: int = Field(ge=0, le=9)
    pixels: _Pixels
    original: Base64Bytes | None = None
    received: datetime
    reply_id: str = ""

    @property
    def name(self) -> str:
        """The same for the same picture and digit."""
        return _name(self.pixels, self.digit)

    @property
    def rivals(self) -> dict[str, int]:
        """The names, and the digits, of those who would say another digit of the same picture."""
        return {_name(self.pixels, digit): digit for digit in _DIGITS if digit != self.digit}

    def image(self) -> NDArray[np.uint8]:
        """The picture, (28, 28)."""
        return np.frombuffer(self.pixels, np.uint8).reshape(28, 28)


class FeedbackFolder:
    """The items in a folder. Any number of processes may read and write it at once."""

    def __init__(self, path: Path) -> None:
        """Name a folder; nothing is touched yet.

        Args:
            path: It is made by the first `add`.
        """
        self.path = path

    def add(self, item: FeedbackItem) -> bool:
        """Put an item on disk, whole or not at all; it is there when this returns, whatever happens afterwards.

        Returns:
            Whether it is new: False, and nothing is written, where it is there already, or was and is discarded.

        Raises:
            FeedbackError: It cannot be written.
        """
        target = self._file(item.name)
        with self._translated("write"):
            if target.exists() or self._discarded(item.name).exists():
                return False
            self.path.mkdir(parents=True, exist_ok=True)
            _write(target, item.model_dump_json().encode())
        return True

    def names(self) -> list[str]:
        """The names of all items that are not discarded, sorted; none where there is no folder.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        with self._translated("list"):
            try:
                found = [Path(entry.name) for entry in os.scandir(self.path)]
            except FileNotFoundError:
                return []
        return sorted(path.stem for path in found if path.suffix == ".json" and _NAME.fullmatch(path.stem))

    def read(self, name: str) -> FeedbackItem:
        """One item.

        Raises:
            FeedbackNotFoundError: There is none of that name.
            DamagedFeedbackError: The file does not hold what its name says.
            FeedbackError: It cannot be read.
        """
        path = self._known(name)
        with self._translated("read"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                raise self._missing(name) from None
        try:
            item = FeedbackItem.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the document"
            raise DamagedFeedbackError(f"{path}: {place}: {first['msg']}") from error
        if item.name != name:
            raise DamagedFeedbackError(f"{path}: its picture and digit make the name {item.name}; it was changed")
        return item

    def sound(self) -> Iterator[FeedbackItem | DamagedFeedbackError]:
        """The items that can be learned from, in the order of their names; for each other one, what is wrong with it.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        names = self.names()
        known = frozenset(names)
        for name in names:
            try:
                item = self.read(name)
            except DamagedFeedbackError as error:
                yield error
            except FeedbackNotFoundError:  # discarded meanwhile
                continue
            else:
                yield self.contradiction(item, known) or item

    def contradiction(self, item: FeedbackItem, known: frozenset[str]) -> DamagedFeedbackError | None:
        """What is wrong with an item of which others say another digit; None where nobody does.

        Args:
            item: The item.
            known: The names of all.
        """
        others = [str(digit) for name, digit in item.rivals.items() if name in known]
        if not others:
            return None
        return DamagedFeedbackError(
            f"{self._file(item.name)}: says {item.digit}, and another item says {' and '.join(others)} of the same "
            "picture; discard what is wrong"
        )

    def discard(self, name: str) -> None:
        """Take an item out, and remember it, so that it does not come back.

        Raises:
            FeedbackNotFoundError: There is none of that name.
            FeedbackError: The folder cannot be written.
        """
        path, mark = self._known(name), self._discarded(name)
        with self._translated("discard from"):
            if not path.exists():
                raise self._missing(name)
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            _sync(mark.parent)  # first: so that at no moment it could be sent again
            path.unlink(missing_ok=True)
            _sync(self.path)

    def size(self) -> int:
        """Bytes of all items. What killed writers left behind is removed.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        total = 0
        with self._translated("measure"):
            for entry in os.scandir(self.path) if self.path.is_dir() else ():
                try:
                    found = entry.stat(follow_symlinks=False)
                    if entry.name.startswith(".") and found.st_mtime < time.time() - ABANDONED_AFTER:
                        Path(entry.path).unlink()
                    elif entry.is_file(follow_symlinks=False):
                        total += found.st_size
                except FileNotFoundError:  # another process was quicker
                    continue
        return total

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"

    def _discarded(self, name: str) -> Path:
        return self.path / "discarded" / name

    def _known(self, name: str) -> Path:
        """The file of a name that came from outside: a name that is none must not lead out of the folder."""
        if not _NAME.fullmatch(name):
            raise FeedbackNotFoundError(f"no feedback {name[:80]!r}; expected 64 hexadecimal digits")
        return self._file(name)

    def _missing(self, name: str) -> FeedbackNotFoundError:
        return FeedbackNotFoundError(f"no feedback {name} in {self.path}")

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FeedbackError(
                f"cannot {action} the feedback folder {self.path}: {error.strerror or error}"
            ) from error


def _name(pixels: bytes, digit: int) -> str:
    return hashlib.sha256(pixels + bytes([digit])).hexdigest()


def _write(target: Path, data: bytes) -> None:
    """The whole file or nothing, even if the power fails: its bytes reach the disk before its name does."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".tmp", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)  # a temporary file is its owner's alone; the training may be another user
            Path(file.name).replace(target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Let the names in a folder reach the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
