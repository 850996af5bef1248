"""Marks: small files in one folder, each named after an item of feedback that something was decided about.

A mark is a regular file without content. Whatever else lies under its name, such as a folder, a link or a FIFO, is no
mark, and keeps nobody waiting: the folder may be filled by others.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from core.data.durable import sync_folder, whole_file
from core.regular_file import concerns_one_file, kind_of_file

__all__ = ["Marks"]

LARGEST_MARK = 4096
"""Bytes of the largest file that is a mark: some copying programs and editors leave a few."""


class Marks:
    """The marks in one folder. Any number of processes may read and write them at the same time."""

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is read or written yet.

        Args:
            path: The folder; the first `put` creates it, in a folder that exists.
        """
        self.path = path

    def put(self, name: str) -> None:
        """Mark a name, durably. What lies there and is no mark gives way, unless it is a folder.

        Raises:
            OSError: It cannot be written.
        """
        with suppress(FileExistsError):
            self.path.mkdir()
            self.path.chmod(0o755)  # whatever the umask: the training may run as another user
            sync_folder(self.path.parent)
        self._require_folder()
        with whole_file(self.path / name) as file:
            os.fchmod(file.fileno(), 0o644)  # likewise

    def remove(self, name: str) -> None:
        """Take a mark away, if there is one.

        Raises:
            OSError: It cannot be removed.
        """
        if name in self:
            (self.path / name).unlink(missing_ok=True)
            sync_folder(self.path)

    def __contains__(self, name: str) -> bool:
        """Whether a name is marked.

        Raises:
            OSError: The storage has failed.
        """
        try:
            self._require_folder()
            return _is_mark((self.path / name).lstat())
        except OSError as error:
            if not concerns_one_file(error):
                raise
            return False

    def names(self) -> frozenset[str]:
        """All names that are marked; none if there is no folder.

        Raises:
            OSError: The folder is none, or cannot be listed.
        """
        try:
            self._require_folder()
            with os.scandir(self.path) as listing:
                entries = list(listing)
        except FileNotFoundError:
            return frozenset()
        found = set()
        for entry in entries:
            try:
                if _is_mark(entry.stat(follow_symlinks=False)):
                    found.add(entry.name)
            except OSError as error:
                if not concerns_one_file(error):
                    raise
        return frozenset(found)

    def _require_folder(self) -> None:
        """A link to a folder is none: it may lead anywhere.

        Raises:
            NotADirectoryError: It is something else.
        """
        mode = self.path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            raise NotADirectoryError(errno.ENOTDIR, f"{kind_of_file(mode)}, where a folder is expected", str(self.path))


def _is_mark(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_MARK
