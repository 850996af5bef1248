"""A stream of requests, several of them in flight at once, each answered in their order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message

from service.errors import StoppingError

__all__ = ["in_order"]

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response")


async def in_order(
    requests: AsyncIterator[Request], answer: Callable[[Request], Awaitable[Response]], stopping: asyncio.Event
) -> AsyncGenerator[Response, None]:
    """Answer each request as soon as it arrives, without waiting until those before it are answered.

    Args:
        requests: The stream; it limits how many are in flight, see `service.api.requests`.
        answer: Gives the response to a request. It does not raise for an error that concerns one request alone.
        stopping: Once it is set, no more requests are read.

    Yields:
        The responses, in the order of the requests.

    Raises:
        StoppingError: The server is stopping; the requests that were read are answered.
        Exception: What broke the stream of requests, once the requests before it are answered.
    """
    waiting: asyncio.Queue[asyncio.Task[Response] | None] = asyncio.Queue()
    in_flight: set[asyncio.Task[Response]] = set()

    async def run(request: Request) -> Response:
        return await answer(request)

    async def read() -> None:
        try:
            async for request in requests:
                task = asyncio.create_task(run(request))
                in_flight.add(task)
                task.add_done_callback(in_flight.discard)
                waiting.put_nowait(task)
                del request, task  # they may be large, and the next ones may be long in coming
        finally:
            waiting.put_nowait(None)

    async def stop() -> None:
        await stopping.wait()
        reading.cancel()

    reading, stop_reading = asyncio.create_task(read()), asyncio.create_task(stop())
    try:
        while task := await waiting.get():
            yield await task
            del task
        if stopping.is_set():
            raise StoppingError
        await reading
    finally:  # requests are left in flight only if the client has gone
        stop_reading.cancel()
        reading.cancel()
        for task in in_flight:
            task.cancel()
