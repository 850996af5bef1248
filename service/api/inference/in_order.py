"""A stream of requests, several of them in flight at once, each answered in their order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from service.errors import StoppingError

__all__ = ["in_order"]

IN_FLIGHT = 128
"""How many unanswered requests of one stream are held …"""

IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""… and how many bytes; a single request may be larger."""

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")


class _Room:
    """Limits what is in flight: a client that sends faster than it reads has to wait."""

    def __init__(self) -> None:
        self._count, self._bytes = 0, 0
        self._left = asyncio.Event()

    async def enter(self, size: int) -> None:
        while self._count and (self._count >= IN_FLIGHT or self._bytes + size > IN_FLIGHT_BYTES):
            self._left.clear()
            await self._left.wait()
        self._count += 1
        self._bytes += size

    def leave(self, size: int) -> None:
        self._count -= 1
        self._bytes -= size
        self._left.set()


async def in_order(
    requests: AsyncIterator[Request], answer: Callable[[Request], Awaitable[Response]], stopping: asyncio.Event
) -> AsyncIterator[Response]:
    """Answer each request as soon as it arrives, without waiting until those before it are answered.

    Args:
        requests: The stream.
        answer: Gives the response to a request. It does not raise for an error that concerns one request alone.
        stopping: Once it is set, no more requests are read.

    Yields:
        The responses, in the order of the requests.

    Raises:
        StoppingError: The server is stopping; the requests that were read are answered.
        Exception: What broke the stream of requests, once the requests before it are answered.
    """
    room = _Room()
    waiting: asyncio.Queue[tuple[asyncio.Task[Response], int] | None] = asyncio.Queue()
    in_flight: set[asyncio.Task[Response]] = set()

    async def run(request: Request) -> Response:
        return await answer(request)

    async def read() -> None:
        try:
            async for request in requests:
                size = request.ByteSize()
                await room.enter(size)
                task = asyncio.create_task(run(request))
                in_flight.add(task)
                task.add_done_callback(in_flight.discard)
                waiting.put_nowait((task, size))
        finally:
            waiting.put_nowait(None)

    async def stop() -> None:
        await stopping.wait()
        reading.cancel()

    reading, stop_reading = asyncio.create_task(read()), asyncio.create_task(stop())
    try:
        while item := await waiting.get():
            task, size = item
            yield await task
            room.leave(size)
        if stopping.is_set():
            raise StoppingError
        await reading
    finally:  # requests are left in flight only if the client has gone
        stop_reading.cancel()
        reading.cancel()
        for task in in_flight:
            task.cancel()
