"""Feedback: pictures that users sent with the digit that they really show, one small file each, in one folder.

    <folder>/3f…a0.json               an item; its name is the sha256 of the framed picture and the digit
    <folder>/discarded/9b…17          marks an item that a reviewer has discarded

The service writes the folder and the next training reads it; neither knows the other. Since the name covers everything
that a training learns from, the same item sent twice is one file, and a damaged file is noticed. Items are regular
files: whatever else lies under the name of one, such as a link or a FIFO, is a damaged item. Nothing is overwritten:
if one user says 1 and another 7 of the same picture, both items are kept, and neither is used until one of them is
discarded, as it cannot be known which is right.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from core.data.durable import sync_folder, whole_file
from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError
from core.feedback_item import LARGEST_ORIGINAL, FeedbackItem
from core.regular_file import concerns_one_file, read_regular, why_unreadable

__all__ = ["LARGEST_ORIGINAL", "FeedbackFolder", "FeedbackItem"]

_LARGEST_ITEM = LARGEST_ORIGINAL * 4 // 3 + 64 * 1024
"""Bytes of the largest file that is read as an item: Base64 has four characters for three bytes."""

ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished file is known to belong to a writer that was killed."""

_NAME = re.compile(r"[0-9a-f]{64}")


class FeedbackFolder:
    """The items in a folder. Any number of processes may read and write the folder at the same time."""

    def __init__(self, path: Path) -> None:
        """Name a folder; nothing is read or written yet.

        Args:
            path: The folder; the first `add` creates it.
        """
        self.path = path

    def add(self, item: FeedbackItem) -> bool:
        """Write an item to disk, complete or not at all; once this returns, it is durable.

        Returns:
            Whether it is new: False, and nothing is written, if it exists already or has been discarded.

        Raises:
            FeedbackError: It cannot be written.
        """
        target = self._file(item.name)
        with self._translated("write"):
            if target.exists() or self._discarded(item.name).exists():
                return False
            self.path.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as file:
                file.write(item.model_dump_json().encode())
                os.fchmod(file.fileno(), 0o644)  # whatever the umask: the training may run as another user
        return True

    def names(self) -> list[str]:
        """The names of all items that are not discarded, sorted; empty if there is no folder.

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
            FeedbackNotFoundError: There is no such item.
            DamagedFeedbackError: The content of the file does not match its name, or there is no regular file that may
                be read; other items may well be sound.
            FeedbackError: The storage cannot be read.
        """
        path = self._known(name)
        with self._translated("read"):
            try:
                data = read_regular(path, _LARGEST_ITEM)
            except FileNotFoundError:
                raise self._missing(name) from None
            except OSError as error:
                if not concerns_one_file(error):
                    raise
                raise DamagedFeedbackError(f"{path}: {why_unreadable(error)}") from error
        try:
            item = FeedbackItem.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the document"
            raise DamagedFeedbackError(f"{path}: {place}: {first['msg']}") from error
        if item.name != name:
            raise DamagedFeedbackError(f"{path}: its picture and digit make the name {item.name}; it was changed")
        return item

    def sound(self) -> Iterator[FeedbackItem | DamagedFeedbackError]:
        """The usable items, in the order of their names; for each unusable one, an error that says why.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        return (found for _, found in self.examined())

    def examined(self) -> Iterator[tuple[str, FeedbackItem | DamagedFeedbackError]]:
        """The same, each with its name.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        names = self.names()
        known = frozenset(names)
        for name in names:
            try:
                item = self.read(name)
            except DamagedFeedbackError as error:
                yield name, error
            except FeedbackNotFoundError:  # discarded meanwhile
                continue
            else:
                yield name, self.trouble(item, known) or item

    def trouble(self, item: FeedbackItem, known: frozenset[str]) -> DamagedFeedbackError | None:
        """The error for an item that nothing can be learned from; None if something can.

        Either others contradict it, or its pixels are what the service refuses to recognize, such as an empty image:
        earlier versions of the service accepted that as feedback.

        Args:
            item: The item.
            known: The names of all items.
        """
        file = self._file(item.name)
        others = [str(digit) for name, digit in item.rivals.items() if name in known]
        if others:
            return DamagedFeedbackError(
                f"{file}: says {item.digit}, and another item says {' and '.join(others)} of the same picture; discard "
                "what is wrong"
            )
        trouble = item.trouble
        return DamagedFeedbackError(f"{file}: {trouble}; discard it") if trouble else None

    def discard(self, name: str) -> None:
        """Remove an item, and remember its name, so that it cannot be added again.

        Raises:
            FeedbackNotFoundError: There is no such item.
            FeedbackError: The folder cannot be written.
        """
        path, mark = self._known(name), self._discarded(name)
        with self._translated("discard from"):
            if not os.path.lexists(path):  # a link that leads nowhere is listed, so it can be discarded
                raise self._missing(name)
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            sync_folder(mark.parent)  # before the item is removed, so that it cannot be added again in between
            path.unlink(missing_ok=True)
            sync_folder(self.path)

    def size(self) -> int:
        """The size of all items in bytes. Files that killed writers left behind are removed.

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
        """The file of a name from outside, which is checked, because it must not lead out of the folder."""
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
