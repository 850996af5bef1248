"""The requests of one stream: read while there is room for them, and counted until their answers are taken."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import grpc

from service.api.budget import Budget
from service.api.receiving import Receiving
from service.errors import OverloadedError

__all__ = ["Requests"]

MOST_REQUESTS = 256
"""How many unanswered requests of one stream are held …"""

MOST_BYTES = 4 * 1024 * 1024
"""… and how many bytes; the last one that is read may exceed that."""

SMALL = 64 * 1024
"""Bytes of a message that gRPC receives in any case, see `service.server.options`: it needs no turn."""

UNKNOWN = 256 * 1024
"""Bytes that the first message of a stream is expected to have."""

OVERHEAD = 2048
"""Bytes beside the message itself that a request and its answer take, about."""

GRACE_SECONDS = 2.0
"""Seconds that a client may still take to read the answers of a stream that is ended early."""

T = TypeVar("T")

_Context = grpc.aio.ServicerContext[Any, Any]


class Requests(Generic[T]):
    """An asynchronous iterator over the requests of one stream, each of which has one answer.

    A client that sends faster than it reads has to wait: what is not read here stays with the client, except for what
    fits into the flow control windows of HTTP/2. Every byte of a request is counted from the moment it is read until
    its answer has been taken, against what this stream may hold and against what all streams may hold together.

    Attributes:
        method: The full name of the method.
        context: The call.
        held: The bytes of the requests that are not answered yet.
        writing: Since when the client has not taken the next answer, by `time.monotonic`; None if there is none.
        ended: Why the server ends the stream; None while it does not.
    """

    def __init__(
        self,
        method: str,
        context: _Context,
        parse: Callable[[bytes], T],
        budget: Budget,
        receiving: Receiving | None = None,
    ) -> None:
        """Read nothing yet. Use it as a context manager, in the task of the call.

        Args:
            method: The full name of the method.
            context: The call.
            parse: From the bytes of a message to a request.
            budget: What all streams may hold together.
            receiving: Reads the messages; None to do so without a limit of what arrives.
        """
        self.method, self.context = method, context
        self.held = 0
        self.writing: float | None = None
        self.ended: Exception | None = None
        self._parse, self._budget, self._receiving = parse, budget, receiving or Receiving()
        self._peer = context.peer()
        self._sizes: deque[int] = deque()
        self._usual = UNKNOWN  # bytes of the message before, which the next one is expected to have too
        self._waiting: asyncio.Future[None] | None = None  # for room
        self._reader: asyncio.Task[Any] | None = None
        self._call = asyncio.current_task()
        self._limit: asyncio.TimerHandle | None = None
        self._cut = False  # whether the client did not read what was left

    def __enter__(self) -> Self:
        self._budget.open(self)
        self._receiving.open(self._peer)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give back what is held. If the call was cut off, raise the error that it was ended with."""
        self._budget.close(self)
        self._receiving.close(self._peer)
        self._call = None
        if self._limit:
            self._limit.cancel()
        if self._cut and self.ended and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise self.ended from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next request, as soon as there is room for one.

        Raises:
            DecodeError: The message cannot be parsed.
            Exception: The server ends the stream.
        """
        if self.ended:
            raise self.ended
        self._reader = asyncio.current_task()
        try:
            await self._room()
            data = await self._message()
        except asyncio.CancelledError:
            if self.ended is None or self._reader is None:
                raise
            self._reader.uncancel()
            raise self.ended from None
        except OverloadedError as error:  # what has arrived of the message is too much
            self._reader = None
            self.end(error)
            raise
        finally:
            self._reader = None
        if data is grpc.aio.EOF:
            raise StopAsyncIteration
        self._usual = len(data)
        size = len(data) + OVERHEAD
        self._sizes.append(size)
        self.held += size
        self._budget.take(size)
        return self._parse(data)

    async def write(self, response: Any) -> None:
        """Send the answer to the oldest request; returns as soon as the client has room for it."""
        self.writing = monotonic()
        await self.context.write(response)
        self.writing = None
        size = self._sizes.popleft()
        self.held -= size
        self._budget.give_back(size)
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def end(self, error: Exception) -> None:
        """Read no more, answer what was read, and end the stream with this error; only the first call counts."""
        if self.ended or self._call is None:
            return
        self.ended = error
        if self._reader:
            self._reader.cancel()
        self._limit = self._call.get_loop().call_later(GRACE_SECONDS, self._cut_off)

    def _cut_off(self) -> None:
        if self._call:
            self._cut = True
            self._call.cancel()

    async def _message(self) -> Any:
        """The next message. Large ones arrive in turns, because gRPC holds what has arrived of each."""
        if self._usual <= SMALL:
            return await self._receiving.read(self.context, self._peer)
        end_turn = await self._budget.take_turn(self._usual)
        try:
            return await self._receiving.read(self.context, self._peer)
        finally:
            end_turn()

    async def _room(self) -> None:
        """Wait until another request may be read. A stream that holds none always may read one."""
        while self._sizes and not (self._has_room() and self._budget.room):
            self._waiting = asyncio.get_running_loop().create_future()
            if self._has_room():
                self._budget.await_room(self._waiting)
            try:
                await self._waiting
            finally:
                self._waiting = None

    def _has_room(self) -> bool:
        return len(self._sizes) < MOST_REQUESTS and self.held < MOST_BYTES
