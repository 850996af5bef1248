"""Incomplete downloads on disk: how they are resumed, and how a complete one is recognized."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.data.gunzip import GZIP_MAGIC, gunzip
from core.data.mnist import MnistFile
from core.errors import DataError, DigestError

__all__ = ["Held", "Part", "is_gzip", "verify", "write_all"]

CHUNK = 256 * 1024


@dataclass(frozen=True)
class Held:
    """The bytes that a part holds already.

    Attributes:
        offset: How many bytes are on disk.
        validator: The ETag or Last-Modified header that the mirror sent with them.
    """

    offset: int
    validator: str


@dataclass(frozen=True)
class Part:
    """A growing file, `<name>.part`, and next to it a note of where its bytes come from, `<name>.part.json`.

    A process that writes to it must hold the lock of the folder.
    """

    path: Path

    @property
    def note(self) -> Path:
        """The note's path; the note is JSON with `url` and `validator`."""
        return self.path.with_name(f"{self.path.name}.json")

    def held(self, url: str) -> Held | None:
        """The bytes that a download from `url` can resume; None if it must start from the beginning."""
        try:
            note = json.loads(self.note.read_bytes())
            offset = self.path.stat().st_size
        except (FileNotFoundError, ValueError):
            return None
        match note:
            case {"url": str(source), "validator": str(validator)} if source == url and validator and offset:
                return Held(offset, validator)
        return None

    def begin(self, url: str, validator: str | None) -> None:
        """Discard the bytes held and expect those of `url`. Without a validator, they cannot be resumed later."""
        self.discard()  # before the new note is written: it must never describe old bytes
        if validator:
            self.note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")

    def append(self) -> BinaryIO:
        """Open for appending. Unbuffered, so that every received byte is on disk after a crash."""
        return self.path.open("ab", buffering=0)

    def whole(self, file: MnistFile) -> bool:
        """Whether no byte is missing: a process may have ended between the last byte and the rename."""
        try:
            verify(self.path, file)
        except (FileNotFoundError, DataError):
            return False
        return True

    def discard(self) -> None:
        """Remove the part and its note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def write_all(target: BinaryIO, data: bytes) -> None:
    """Write to an unbuffered file: on a disk that is almost full, a call may write only a part, without an error.

    Raises:
        OSError: Not all of it can be written.
    """
    rest = memoryview(data)
    while rest:
        rest = rest[target.write(rest) :]


def verify(path: Path, file: MnistFile) -> None:
    """Check the unpacked bytes of a file, gzipped or plain, against the pinned size and digest.

    Unpacking stops at the first byte beyond the pinned size.

    Raises:
        DataError: The file is damaged, or is another one.
        OSError: The file cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        for chunk in _unpacked(stream, file):
            digest.update(chunk)
            size += len(chunk)
    if size != file.size:
        wrong = "more" if size > file.size else f"{size:,}"
        raise DigestError(f"{file.name}: {wrong} bytes unpacked, expected {file.size:,}")
    if digest.hexdigest() != file.sha256:
        raise DigestError(f"{file.name}: sha256 {digest.hexdigest()} unpacked, expected {file.sha256}")


def _unpacked(stream: BinaryIO, file: MnistFile) -> Iterator[bytes]:
    if is_gzip(stream):
        yield from gunzip(stream, name=file.name, limit=file.size)
        return
    left = file.size + 1
    while left and (chunk := stream.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk


def is_gzip(stream: BinaryIO) -> bool:
    """Whether gzip data follows in `stream`, whose position does not change."""
    position = stream.tell()
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(position)
    return magic == GZIP_MAGIC
