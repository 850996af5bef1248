"""A stream of requests, several of them under way at once, and a response to each in their order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from service.errors import StoppingError

__all__ = ["in_order"]

UNDER_WAY = 128
"""How many requests of one stream are held that were not answered yet …"""

UNDER_WAY_BYTES = 16 * 1024 * 1024
"""… and how many bytes; a single request may be larger."""

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")


class _Room:
    """For what is under way. A client that sends faster than it reads has to wait."""

    def __init__(self) -> None:
        self._count, self._bytes = 0, 0
        self._left = asyncio.Event()

    async def enter(self, size: int) -> None:
        while self._count and (self._count >= UNDER_WAY or self._bytes + size > UNDER_WAY_BYTES):
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
    """Answer each request as soon as it has come, without waiting until those before it are answered.

    Args:
        requests: As they come.
        answer: Makes a response; it does not raise for what is wrong with one request alone.
        stopping: Once it is set, no more requests are read.

    Yields:
        The responses, in the order of the requests.

    Raises:
        StoppingError: The server stops; what was read until then is answered.
        Exception: What ended the requests before their end, after the responses to those before.
    """
    room = _Room()
    waiting: asyncio.Queue[tuple[asyncio.Task[Response], int] | None] = asyncio.Queue()
    under_way: set[asyncio.Task[Response]] = set()

    async def run(request: Request) -> Response:
        return await answer(request)

    async def read() -> None:
        try:
            async for request in requests:
                size = request.ByteSize()
                await room.enter(size)
                task = asyncio.create_task(run(request))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
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
            raise StoppingError("the server stops; send what has no answer yet to another one, or again")
        await reading
    finally:  # at the end most of it is done already; the client may also have gone
        stop_reading.cancel()
        reading.cancel()
        for task in under_way:
            task.cancel()
