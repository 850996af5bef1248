"""Downloads on disk that are not complete yet: what it takes to resume them, and how to tell when they are whole."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.data.gunzip import GZIP_MAGIC, gunzip
from core.data.mnist import MnistFile
from core.errors import DataError, DigestError

__all__ = ["Held", "Part", "is_gzip", "verify"]

CHUNK = 256 * 1024


@dataclass(frozen=True)
class Held:
    """What a part holds already.

    Attributes:
        offset: Bytes on disk.
        validator: The ETag or the Last-Modified date that the mirror gave with them, as it stood in the header.
    """

    offset: int
    validator: str


@dataclass(frozen=True)
class Part:
    """A file that grows, `<name>.part`, and beside it a note of where its bytes come from, `<name>.part.json`.

    Whoever writes it holds the lock of the folder.
    """

    path: Path

    @property
    def note(self) -> Path:
        """JSON: url and validator."""
        return self.path.with_name(f"{self.path.name}.json")

    def held(self, url: str) -> Held | None:
        """What can be resumed from `url`; None where nothing can."""
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
        """Forget what is held; what comes now is from `url`. Without a validator it cannot be resumed."""
        self.discard()  # before the new note: old bytes must never stand beside it
        if validator:
            self.note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")

    def append(self) -> BinaryIO:
        """Open for more. Unbuffered, so that all that came is there after a crash."""
        return self.path.open("ab", buffering=0)

    def whole(self, file: MnistFile) -> bool:
        """Whether nothing is missing: a process may have ended between the last byte and its rename."""
        try:
            verify(self.path, file)
        except (FileNotFoundError, DataError):
            return False
        return True

    def discard(self) -> None:
        """Remove the part and its note."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def verify(path: Path, file: MnistFile) -> None:
    """Check the unpacked bytes of a file, gzipped or plain, against the pinned size and digest.

    Unpacking stops at the first byte beyond the pinned size.

    Raises:
        DataError: They are not the pinned ones.
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
    """Whether gzip follows in `stream`, which stays where it is."""
    position = stream.tell()
    magic = stream.read(len(GZIP_MAGIC))
    stream.seek(position)
    return magic == GZIP_MAGIC
