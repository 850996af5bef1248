"""The body of a request, decompressed piece by piece, and never to more than a body may have.

What a body is as it is sent, `service.web.security.body_limit` limits: its size, its time, and all bodies together.
"""

import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from service.web.rest.http_error import GoneError, HttpError

__all__ = ["Bodies", "Incoming"]

_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""How zlib is told the form of what it decompresses. By RFC 9110, deflate is zlib's form, with its header."""

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Incoming:
    """A body, as it arrives.

    Attributes:
        ended: Whether all of it has arrived.
    """

    __slots__ = ("_receive", "ended")

    def __init__(self, receive: Receive) -> None:
        self._receive, self.ended = receive, False

    async def piece(self) -> bytes:
        """The next piece.

        Raises:
            GoneError: The client has gone.
            WebError: The body is refused as it is sent.
        """
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise GoneError("the client has gone")
        self.ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


class Bodies:
    """Reads bodies, and counts what those that were compressed hold."""

    def __init__(self, largest: int, most: int) -> None:
        """Nothing is held yet.

        Args:
            largest: Bytes of the largest body, decompressed.
            most: Bytes of all bodies that were compressed and whose requests are not answered yet.
        """
        self._largest, self._most, self._held = largest, most, 0

    async def read(self, incoming: Incoming, headers: Mapping[bytes, bytes]) -> bytes:
        """The whole body, decompressed; `release` it when its request is answered.

        Raises:
            HttpError: It is compressed in an unknown or damaged way (415, 400) or too large (413), or compressed bodies
                hold too much already (503).
            GoneError: The client has gone.
            WebError: The body is refused as it is sent.
        """
        unpack = None
        if (encoding := headers.get(b"content-encoding", b"").strip().lower()) not in (b"", b"identity"):
            unpack = _Unpacking(encoding, self._largest)
        pieces, taken = [], 0
        try:
            while not incoming.ended:
                piece = await incoming.piece()
                if unpack:
                    piece = unpack.piece(piece)
                    taken += len(piece)
                    self._take(len(piece))
                pieces.append(piece)
            if unpack:
                unpack.end()
        except BaseException:
            self._held -= taken
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self, body: bytes, headers: Mapping[bytes, bytes]) -> None:
        """Take note that a body is not needed any more."""
        if headers.get(b"content-encoding", b"").strip().lower() not in (b"", b"identity"):
            self._held -= len(body)

    def _take(self, count: int) -> None:
        self._held += count
        if self._held > self._most:
            raise HttpError(503, "too many compressed requests at once; call again in a moment", (b"retry-after", b"1"))


class _Unpacking:
    """Decompresses a body piece by piece. What would unpack to more than the limit is never unpacked whole."""

    def __init__(self, encoding: bytes, largest: int) -> None:
        window = _WINDOW.get(encoding)
        if window is None:
            raise HttpError(
                415,
                "this Content-Encoding is not supported; compress with gzip or deflate, or not at all",
                (b"accept-encoding", b"gzip, deflate"),
            )
        self._name, self._largest, self._left = encoding.decode(), largest, largest
        self._zlib = zlib.decompressobj(window)

    def piece(self, data: bytes) -> bytes:
        """What a piece unpacks to."""
        if self._zlib.eof and data:
            raise self._damaged("something follows its end")
        try:
            unpacked = self._zlib.decompress(data, self._left + 1)
        except zlib.error:
            raise self._damaged("it cannot be decompressed") from None
        if len(unpacked) > self._left:
            raise HttpError(413, f"the body of the request unpacks to more than {self._largest:,} bytes")
        if self._zlib.unused_data:
            raise self._damaged("something follows its end")
        self._left -= len(unpacked)
        return unpacked

    def end(self) -> None:
        """Take note that there are no more pieces."""
        if not self._zlib.eof:
            raise self._damaged("it ends too early")

    def _damaged(self, reason: str) -> HttpError:
        return HttpError(400, f"the body of the request is not valid {self._name}: {reason}")
