"""Messages that are arriving: what gRPC holds of those that are not complete is bounded, however clients send them.

gRPC receives a message as a whole before it hands it over, and tells nobody how much of it is there. A client may begin
calls with large pictures, send half of each, and stop: 500 such calls held 2.4 GB. So what has arrived on a connection,
as the system counts it, is compared with the messages that were handed over.
"""

import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any

import grpc

from service.errors import OverloadedError
from service.occupied import occupied

__all__ = ["Receiving"]

EVERY_SECONDS = 0.25
"""Seconds between two looks, while messages are awaited."""

PATIENCE_SECONDS = 0.25
"""A message that has been awaited for no longer than this ends no call: it may be complete in a moment."""

ENVELOPE, ENVELOPE_SHARE = 1024, 256
"""What surrounds a message and is not held, headers, frames and TLS: so many bytes, and one for so many of the message.

Rather too many than too few, so that honest clients seem to hold less with each message, instead of more.
"""

MOST_PEERS = 10_000
"""Connections that are remembered without looking which of them have gone."""

RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]


class _Awaited:
    """A message that a call waits for. A class rather than a generator, for speed: every call creates one."""

    __slots__ = ("error", "peer", "since", "task")

    def __init__(self, peer: str) -> None:
        self.peer, self.since = peer, monotonic()
        self.task = asyncio.current_task()
        self.error: OverloadedError | None = None

    def end(self, error: OverloadedError) -> None:
        if self.error is None and self.task:
            self.error = error
            self.task.cancel()


class Receiving:
    """Reads messages, and ends the calls of the connection that holds most while all hold too much.

    Belongs to one event loop.
    """

    def __init__(
        self,
        most: int = sys.maxsize,
        arrived: Callable[[], Mapping[str, int]] = dict,
        occupied: Callable[[], int] = occupied,
        refused: Callable[[str, str], object] = lambda reason, role: None,  # noqa: ARG005 — nobody is notified
    ) -> None:
        """Nothing is awaited yet.

        Args:
            most: Bytes of incomplete messages that all connections may hold together.
            arrived: The bytes that have arrived on each open connection since it was opened, by gRPC's name of the
                peer. Where the system does not tell, nothing is bounded.
            occupied: The bytes that the process occupies. Connections are looked at only once it has grown.
            refused: Called for each call that is ended, with the reason "incomplete"; see `Observer.refused`.
        """
        self._most, self._arrived, self._occupied = most, arrived, occupied
        self._refused = refused
        self._least = sys.maxsize
        self._awaited: set[_Awaited] = set()
        self._handed_over: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()
        self._idle: dict[str, int] = {}  # what had arrived at the last look where nothing was awaited
        self._next: asyncio.TimerHandle | None = None

    def open(self, peer: str) -> None:
        """Take note of a stream: some of a message may be held although nobody awaits it yet."""
        self._streams[peer] += 1

    def close(self, peer: str) -> None:
        """Take note of the end of a stream."""
        self._streams[peer] -= 1
        if not self._streams[peer]:
            del self._streams[peer]

    async def read(self, context: _Context, peer: str | None = None) -> Any:
        """The next message of a call, or `grpc.aio.EOF`.

        Args:
            context: The call.
            peer: Its peer, if that is known already.

        Raises:
            OverloadedError: It was not complete, and too much of incomplete messages was held.
        """
        peer = peer or context.peer()
        awaited = _Awaited(peer)
        self._awaited.add(awaited)
        if self._next is None:
            self._least = min(self._least, self._occupied())
            self._next = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._look)
        try:
            data = await context.read()
        except asyncio.CancelledError:
            if awaited.error is None or awaited.task is None:
                raise
            awaited.task.uncancel()
            raise awaited.error from None
        finally:
            self._awaited.discard(awaited)
        if data is not grpc.aio.EOF:
            self._handed_over[peer] += len(data) + len(data) // ENVELOPE_SHARE + ENVELOPE
        return data

    def _look(self) -> None:
        self._next = None
        if not self._awaited:
            return
        before = monotonic() - PATIENCE_SECONDS
        late = {awaited.peer for awaited in self._awaited if awaited.since <= before}
        if (late and self._has_grown()) or len(self._handed_over) > MOST_PEERS:
            self._compare(late)
        self._next = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._look)

    def _has_grown(self) -> bool:
        """Whether the process may hold too much: it costs less to see that than to ask about each connection."""
        now = self._occupied()
        self._least = min(self._least, now)
        return now - self._least > self._most // 2

    def _compare(self, late: Collection[str]) -> None:
        """Compare what has arrived with what was handed over, and end calls until little enough is held."""
        arrived = self._arrived()
        for peer in [peer for peer in self._handed_over if peer not in arrived]:
            del self._handed_over[peer]
        holding = {awaited.peer for awaited in self._awaited} | self._streams.keys()
        for peer, size in arrived.items():
            # Where nothing was awaited at two looks, nothing is held that had arrived at the first: what is left of the
            # difference belongs to calls that were cancelled. What arrived since may belong to a call that begins.
            if peer not in holding and peer in self._idle:
                self._handed_over[peer] = max(self._handed_over[peer], self._idle[peer])
            self._handed_over[peer] = min(self._handed_over[peer], size)
        self._idle = {peer: size for peer, size in arrived.items() if peer not in holding}
        held = {peer: arrived[peer] - self._handed_over[peer] for peer in late if peer in arrived}
        if (total := sum(held.values())) > self._most:
            _log.warning(
                "messages that are not complete hold %s bytes; the calls that hold most are ended", f"{total:,}"
            )
        while (total := sum(held.values())) > self._most:
            heaviest = max(held, key=lambda peer: held[peer])
            self._end(heaviest, held.pop(heaviest), total)
            self._handed_over[heaviest] = arrived[heaviest]

    def _end(self, peer: str, size: int, total: int) -> None:
        error = OverloadedError(
            f"{size:,} bytes of messages that are not complete are held for this connection, and {total:,} for all, at "
            f"most {self._most:,} may be; send fewer large messages at once, and each without a pause",
            retry_after=RETRY_SECONDS,
        )
        for awaited in self._awaited:
            if awaited.peer == peer:
                self._refused("incomplete", "")
                awaited.end(error)
