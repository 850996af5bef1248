"""Untrusted gzip streams, unpacked piece by piece and never beyond a limit."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from core.errors import IdxGzipBombError, IdxGzipDamagedError, IdxTruncatedError

__all__ = ["GZIP_MAGIC", "gunzip"]

GZIP_MAGIC = b"\x1f\x8b"
GZIP_WINDOW = 31  # zlib's code for a gzip wrapper with the largest window
CHUNK_IN = 16 * 1024
CHUNK_OUT = 256 * 1024


def gunzip(stream: BinaryIO, *, name: str, limit: int) -> Iterator[bytes]:
    """Unpack a gzip stream of one or more members, in chunks of at most 256 KiB.

    Zero bytes after the last member are padding, as for the gzip tool; anything else after it counts as damage.

    Args:
        stream: The gzip bytes.
        name: What error messages call it.
        limit: The largest unpacked size, in bytes. No chunk beyond it is yielded.

    Raises:
        IdxTruncatedError: The stream is empty.
        IdxGzipDamagedError: The stream is not gzip, is cut short, fails its checksum, or is followed by something else.
        IdxGzipBombError: It unpacks to more than `limit` bytes.
    """
    unpacking = _Unpacking(stream, name, limit)
    if not unpacking.fill():
        raise IdxTruncatedError(f"{name}: empty, 0 bytes; fetch it again")
    yield from unpacking.member()
    while unpacking.another():
        yield from unpacking.member()


@dataclass
class _Unpacking:
    """The state of an unpacking: bytes that wait, and counts of the bytes that were read and yielded."""

    stream: BinaryIO
    name: str
    limit: int
    waiting: bytes = b""
    taken: int = 0
    given: int = 0

    def fill(self) -> bool:
        """Read the next piece of the stream; False at its end."""
        more = self.stream.read(CHUNK_IN)
        self.waiting += more
        self.taken += len(more)
        return bool(more)

    def member(self) -> Iterator[bytes]:
        """Unpack one member, with its header, data, checksum and length."""
        inflate = zlib.decompressobj(GZIP_WINDOW)
        while not inflate.eof:
            if not self.waiting and not self.fill():
                raise IdxGzipDamagedError(
                    f"{self.name}: the gzip stream is cut short after {self.taken:,} bytes "
                    f"({self.given:,} unpacked); fetch it again"
                )
            try:
                chunk = inflate.decompress(self.waiting, CHUNK_OUT)
            except zlib.error as error:
                raise IdxGzipDamagedError(
                    f"{self.name}: damaged gzip stream, after {self.given:,} unpacked bytes: {error}; fetch it again"
                ) from error
            self.waiting = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            self.given += len(chunk)
            if self.given > self.limit:
                raise IdxGzipBombError(
                    f"{self.name}: the gzip stream unpacks to more than the limit of {self.limit:,} bytes"
                )
            if chunk:
                yield chunk

    def another(self) -> bool:
        """Whether another member follows after the padding."""
        self.waiting = self.waiting.lstrip(b"\0")
        # The two bytes that begin a member may be split between two pieces.
        while len(self.waiting) < len(GZIP_MAGIC) and self.fill():
            self.waiting = self.waiting.lstrip(b"\0")
        if self.waiting and not self.waiting.startswith(GZIP_MAGIC):
            raise IdxGzipDamagedError(
                f"{self.name}: the gzip stream ends at byte {self.taken - len(self.waiting):,}, "
                "and something else follows"
            )
        return bool(self.waiting)
