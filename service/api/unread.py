"""Answers to single requests that their clients do not read."""

from collections import Counter
from typing import Any

import grpc

from service.errors import OverloadedError

__all__ = ["Unread"]

SMALL = 16 * 1024
"""Bytes of an answer that is not worth counting: as many as a connection may have calls, they are 4 MB."""

MOST_OF_ONE = 8 * 1024 * 1024
"""Bytes of unread answers of one connection; a single answer may be larger."""

LARGE = 1024 * 1024
"""Bytes of an answer that may be larger than any to pictures, such as a report: not every connection may leave one."""

RETRY_SECONDS = 1.0

_Context = grpc.aio.ServicerContext[Any, Any]


class Unread:
    """Counts the bytes of large answers from the moment they are given until their clients have taken them.

    gRPC holds an answer until the flow control of HTTP/2 lets it send it, which a client can delay for as long as it
    likes. It may do so for one answer of each connection, and within limits for more, or for very large ones.

    Attributes:
        bytes: What clients have not taken yet.
    """

    def __init__(self, most: int) -> None:
        """Nothing is unread yet.

        Args:
            most: The bytes that all connections together may leave unread, beside one answer each of at most `LARGE`
                bytes. A larger one is given as well if nothing else is unread.
        """
        self.bytes = 0
        self._most = most
        self._by_peer: Counter[str] = Counter()

    def add(self, context: _Context, size: int) -> None:
        """Take note of the answer to a call. It is forgotten when the call is over.

        Raises:
            OverloadedError: The client has left too many answers unread, or all clients together have.
        """
        if size <= SMALL:
            return
        peer = context.peer()
        held, full = self._by_peer[peer], self.bytes + size > self._most
        if held and (full or held + size > MOST_OF_ONE):
            raise OverloadedError(
                f"{held:,} bytes of answers on this connection are not read yet; read them before you ask for more",
                retry_after=RETRY_SECONDS,
            )
        if full and size > LARGE and self.bytes:
            raise OverloadedError(
                f"{self.bytes:,} bytes of answers to others are not read yet, which leaves no room for {size:,} more; "
                "try again a little later",
                retry_after=RETRY_SECONDS,
            )
        self._by_peer[peer] += size
        self.bytes += size
        context.add_done_callback(lambda _: self._forget(peer, size))  # type: ignore[arg-type]  # its type in the stubs fits no function

    def _forget(self, peer: str, size: int) -> None:
        self.bytes -= size
        self._by_peer[peer] -= size
        if not self._by_peer[peer]:
            del self._by_peer[peer]
