"""Feedback: pictures that users sent with the digit that they really show, one small file each, in one folder.

    <folder>/3f…a0.json               an item; its name is the sha256 of the framed picture and the digit
    <folder>/discarded/9b…17          marks an item that a reviewer has discarded
    <folder>/accepted/3f…a0           marks an item that a reviewer has looked at and found right

The service writes the folder and the next training reads it; neither knows the other. Since the name covers everything
that a training learns from, the same item sent twice is one file, and a damaged file is noticed. Items are regular
files: whatever else lies under the name of one, such as a link or a FIFO, is a damaged item. Nothing is overwritten:
if one user says 1 and another 7 of the same picture, both items are kept, and neither is used until one of them is
accepted or discarded, as it cannot be known which is right.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from core.data.durable import UNFINISHED, sync_folder, whole_file
from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError
from core.feedback_item import LARGEST_ORIGINAL, FeedbackItem, item_in
from core.feedback_marks import Marks
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
        self._accepted = Marks(path / "accepted")

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
        return item_in(data, path)

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

        Either others contradict it, and it is not the one that is accepted, or its pixels are what the service refuses
        to recognize, such as an empty image: earlier versions of the service accepted that as feedback.

        Args:
            item: The item.
            known: The names of all items.
        """
        file = self._file(item.name)
        rivals = {name: digit for name, digit in item.rivals.items() if name in known}
        others = [str(digit) for digit in rivals.values()]
        if rivals and not (self.is_accepted(item.name) and not any(map(self.is_accepted, rivals))):
            return DamagedFeedbackError(
                f"{file}: says {item.digit}, and another item says {' and '.join(others)} of the same picture; accept "
                "what is right, or discard what is wrong"
            )
        trouble = item.trouble
        return DamagedFeedbackError(f"{file}: {trouble}; discard it") if trouble else None

    def accept(self, name: str) -> None:
        """Mark an item as looked at and right, so that the next training learns from it; durable once this returns.

        Whatever was accepted before with another digit for the same picture is accepted no longer.

        Raises:
            FeedbackNotFoundError: There is no such item, or it is discarded.
            DamagedFeedbackError: Nothing can be learned from it; nothing is changed.
            FeedbackError: The folder cannot be written.
        """
        item = self.read(name)
        if trouble := item.trouble:
            raise DamagedFeedbackError(f"{self._file(name)}: {trouble}; discard it")
        with self._translated("accept an item in"):
            if self._discarded(name).exists():  # by a reviewer who was interrupted, or is about to remove it
                raise self._missing(name)
            for rival in item.rivals:  # first, so that an interruption leaves no picture with two digits accepted
                self._accepted.remove(rival)
            self._accepted.put(name)

    def is_accepted(self, name: str) -> bool:
        """Whether an item that exists is accepted.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        with self._translated("read"):
            return name in self._accepted

    def accepted(self) -> frozenset[str]:
        """The names of all items that are accepted; marks of items that do not exist any more count for nothing.

        Raises:
            DamagedFeedbackError: What should be the folder of the marks is none, or cannot be listed.
            FeedbackError: The folder cannot be read.
        """
        with self._translated("list"):
            try:
                marked = self._accepted.names()
            except OSError as error:
                if not concerns_one_file(error):
                    raise
                raise DamagedFeedbackError(f"{self._accepted.path}: {error.strerror or error}") from error
        return marked.intersection(self.names()) if marked else marked

    def discard(self, name: str) -> None:
        """Remove an item, accepted or not, and remember its name, so that it cannot be added again.

        Raises:
            FeedbackNotFoundError: There is no such item.
            DamagedFeedbackError: There is a folder of its name, and what is in it may be of worth; nothing is changed.
            FeedbackError: The folder cannot be written.
        """
        path, mark = self._known(name), self._discarded(name)
        with self._translated("discard from"):
            try:
                mode = path.lstat().st_mode  # a link that leads nowhere is listed, so it can be discarded
            except FileNotFoundError:
                raise self._missing(name) from None
            if stat.S_ISDIR(mode):
                raise DamagedFeedbackError(f"{path}: a folder, where a file is expected; remove it by hand")
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            sync_folder(mark.parent)  # before the item is removed, so that it cannot be added again in between
            path.unlink(missing_ok=True)
            sync_folder(self.path)
            with suppress(OSError):  # a mark without its item counts for nothing
                self._accepted.remove(name)

    def size(self) -> int:
        """The size of all files in bytes. What killed writers left behind is removed; what others put there stays.

        Raises:
            FeedbackError: The folder cannot be read.
        """
        total = 0
        with self._translated("measure"):
            for entry in os.scandir(self.path) if self.path.is_dir() else ():
                try:
                    if not entry.is_file(follow_symlinks=False):
                        continue
                    found = entry.stat(follow_symlinks=False)
                    if fnmatchcase(entry.name, UNFINISHED) and found.st_mtime < time.time() - ABANDONED_AFTER:
                        Path(entry.path).unlink()
                    else:
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
