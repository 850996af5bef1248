"""HTTP connections that cannot be held open by sending little, nor fill the memory with what comes before a body."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HttpConnection"]

HEAD_BYTES = 32 * 1024
"""Method, address and headers of one request. Browsers send about one kilobyte."""

HEAD_SECONDS = 10.0
"""In which they must have arrived; and in which a first request must begin."""

UNREAD_SECONDS = 5.0
"""How long a body may still arrive that nobody reads, since its request is answered."""


class HttpConnection(HttpToolsProtocol):
    """One connection. uvicorn itself limits neither the size of a head nor the time that it takes."""

    _late: asyncio.TimerHandle | None = None
    _in_head, _begun, _in_message, _too_large = True, False, False, False
    _head = _fields = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """The first request has to begin soon."""
        super().connection_made(transport)
        self._within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer keeps the connection in memory."""
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head, as far as it is known: a part of a header is known to the parser alone."""
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES and not self.transport.is_closing():
            self._too_large = True
            self.send_400_response("The head of the request is too large.")
        if self._begun and self._in_head:  # most heads arrive as a whole, and need no timer
            self._within(HEAD_SECONDS)
        self._begun = False

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._begun, self._in_message, self._fields = True, True, True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer, which follows the body, and nobody reads."""
        self._fields += len(name) + len(value)
        if self._fields > HEAD_BYTES:
            self._too_large = True
            raise ValueError("too many headers")  # which the parser takes for a malformed request
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head, self._head = False, 0
        self._in_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is complete; what follows begins another head."""
        self._in_message, self._in_head = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The request is answered, perhaps before its body has arrived."""
        super().on_response_complete()
        if self._in_message:
            self._within(UNREAD_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, or is too large."""
        if self._too_large:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            self.transport.close()
            return
        super().send_400_response(msg)

    def _within(self, seconds: float) -> None:
        self._in_time()
        self._late = self.loop.call_later(seconds, self._close)

    def _in_time(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None

    def _close(self, *_: Any) -> None:
        if not self.transport.is_closing():
            self.transport.close()
