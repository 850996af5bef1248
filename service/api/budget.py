"""How much all streams of the process may hold together, and what happens if clients do not read their answers."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from service.errors import OverloadedError

__all__ = ["Budget"]

TURN_SECONDS = 0.1
"""A stream in whose turn no message is complete after so long lets the next one have its turn, and goes on waiting."""

STALLED_SECONDS = 10.0
"""A stream whose client takes no answer for so long is ended, if other streams wait for the room that it holds."""


class Holder(Protocol):
    """A stream that holds requests.

    Attributes:
        held: Their bytes.
        writing: Since when its client has not taken the next answer, by `time.monotonic`; None if there is none.
    """

    held: int
    writing: float | None

    def end(self, error: Exception) -> None:
        """End the stream with an error."""


class Budget:
    """Counts the bytes that streams hold, and lets streams wait for room. Belongs to one event loop.

    Attributes:
        held: The bytes that all streams hold.
    """

    def __init__(self, most: int) -> None:
        """Nothing is held yet.

        Args:
            most: The bytes that all streams together may hold before they have to wait. Each may still hold one
                request, so that every stream goes on.
        """
        self.held = self._arriving = 0
        self._most = most
        self._next_turns: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._holders: set[Holder] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self._look: asyncio.TimerHandle | None = None

    @property
    def room(self) -> bool:
        """Whether a stream that holds a request already may read another one."""
        return self.held < self._most

    def open(self, holder: Holder) -> None:
        """Take note of a stream."""
        self._holders.add(holder)

    def close(self, holder: Holder) -> None:
        """Take note of the end of a stream: whatever it still holds is given back."""
        self._holders.discard(holder)
        self.give_back(holder.held)

    def take(self, size: int) -> None:
        """Take note of a request that was read. It is counted even if there is no room: it is there."""
        self.held += size

    def give_back(self, size: int) -> None:
        """Take note of a request that is answered."""
        self.held -= size
        if self._waiting and self.room:
            for waiting in self._waiting:  # each of them reads one request, and waits again if there is no room left
                if not waiting.done():
                    waiting.set_result(None)
            self._waiting.clear()

    async def take_turn(self, size: int) -> Callable[[], None]:
        """Wait until a message of about this size may arrive beside those of other streams.

        Returns:
            Ends the turn, as soon as the message is there. A turn ends by itself after a while: the client may send its
            next message much later.
        """
        size = min(size, self._most)
        loop = asyncio.get_running_loop()
        if self._next_turns or self._arriving + size > self._most:
            turn: asyncio.Future[None] = loop.create_future()
            self._next_turns.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._end_turn(size)
                raise
        else:
            self._arriving += size
        open_turn = [size]

        def end() -> None:
            if open_turn:
                self._end_turn(open_turn.pop())

        timer = loop.call_later(TURN_SECONDS, end)

        def over() -> None:
            timer.cancel()
            end()

        return over

    def _end_turn(self, size: int) -> None:
        self._arriving -= size
        while self._next_turns and self._arriving + self._next_turns[0][0] <= self._most:
            size, turn = self._next_turns.popleft()
            if not turn.done():
                self._arriving += size
                turn.set_result(None)

    def await_room(self, waiting: asyncio.Future[None]) -> None:
        """Set a result once there is room. Until then, streams are watched for clients that do not read."""
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        if self._look is None:
            self._look = waiting.get_loop().call_later(STALLED_SECONDS, self._end_stalled)

    def _end_stalled(self) -> None:
        self._look = None
        if not self._waiting:
            return
        since = monotonic() - STALLED_SECONDS
        for holder in [each for each in self._holders if each.writing is not None and each.writing <= since]:
            holder.end(
                OverloadedError(
                    f"no answer was read for {STALLED_SECONDS:g} seconds while other streams waited for room; read the "
                    "answers while you send",
                    retry_after=STALLED_SECONDS,
                )
            )
        self._look = asyncio.get_running_loop().call_later(STALLED_SECONDS, self._end_stalled)
