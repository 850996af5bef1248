"""A part: some images or pictures of the inputs that are read together, by one worker, at once.

Everything that decides its rows is in it and in what is asked of it, so that the digest of both is the name under which
its rows are kept.
"""

import hashlib
import json
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from core.errors import DataError
from core.regular_file import concerns_one_file
from pipelines.score.input_files import Content

__all__ = ["FileIdentity", "InputChangedError", "Part"]


class InputChangedError(DataError):
    """An input is no longer the file that it was when the work began."""


class FileIdentity(NamedTuple):
    """A file as it was found: whoever writes to it, or replaces it, changes one of these.

    Attributes:
        path: As the command line and the listing of folders name it.
        size: In bytes; -1 if it could not be asked for, and so on.
        mtime_ns: When it was last written to, in nanoseconds since 1970.
        inode: Its number in its file system.
    """

    path: str
    size: int = -1
    mtime_ns: int = -1
    inode: int = -1

    @classmethod
    def of(cls, path: str, base: str = "") -> Self:
        """Look at a file.

        Args:
            path: The file.
            base: The folder that a relative path begins at; by default the current one.

        Raises:
            OSError: The storage has failed: the next file would fail as well.
        """
        try:
            found = Path(base, path).stat()
        except OSError as error:
            if not concerns_one_file(error):
                raise
            return cls(path)  # a link that leads nowhere, say: its row says that it cannot be read
        return cls(path, found.st_size, found.st_mtime_ns, found.st_ino)

    def check(self, base: str = "") -> None:
        """Check that the file is still the same.

        Raises:
            InputChangedError: It is not.
            OSError: The storage has failed.
        """
        if (now := FileIdentity.of(self.path, base)) != self:
            found = "it is gone" if now.size < 0 else f"{now.size:,} bytes, expected the {self.size:,} of the beginning"
            if now.size == self.size:
                found = "it was written to, or replaced"
            raise InputChangedError(
                f"{self.path}: changed while it was being read: {found}; run the same command again, which reads again "
                "what has changed, when nobody writes to it"
            )


@dataclass(frozen=True)
class Part:
    """Some items of the inputs.

    Attributes:
        content: What is in its files: IDX images, the rows of a Parquet table, or pictures.
        source: What the rows name as their source.
        base: The folder that relative paths begin at: workers may have another current folder.
        files: One file of IDX or Parquet; or as many pictures as there are items.
        first: The number of its first item within the file; 0 for pictures.
        count: How many items.
        start: For IDX, where its first image begins in the unpacked file, in bytes; for Parquet, the number of its
            first item within the row group.
        group: For Parquet, the row group.
        column: For Parquet, the column of pictures.
        unpacked: For a gzipped IDX file, where it was unpacked.
    """

    content: Content
    source: str
    base: str
    files: tuple[FileIdentity, ...]
    count: int
    first: int = 0
    start: int = 0
    group: int = 0
    column: str = ""
    unpacked: str = ""

    def __str__(self) -> str:
        """As messages name it."""
        if self.content is Content.PICTURE:
            return f"{self.files[0].path} and {self.count - 1:,} more" if self.count > 1 else self.files[0].path
        return f"{self.files[0].path}, items {self.first:,} to {self.first + self.count - 1:,}"

    @property
    def path(self) -> Path:
        """The file of IDX or Parquet, to be opened from any folder."""
        return Path(self.base, self.files[0].path)

    def encode(self) -> str:
        """One line of JSON."""
        return json.dumps([self.content.value, *astuple(self)[1:]], separators=(",", ":"))

    @classmethod
    def decode(cls, line: str) -> Self:
        """The inverse of `encode`."""
        found: list[Any] = json.loads(line)
        content, source, base, files, *numbers = found
        return cls(Content(content), source, base, tuple(FileIdentity(*file) for file in files), *numbers)

    def name(self, asked: str) -> str:
        """The name under which its rows are kept.

        Args:
            asked: What decides the rows beside the part: version, code and format.
        """
        return hashlib.sha256(f"{asked}\n{self.encode()}".encode()).hexdigest()
