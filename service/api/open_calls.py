"""The calls that are open: accepted by the server, and not yet answered to the last byte."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from service.errors import StoppingError

__all__ = ["OpenCalls"]

PREVIOUS_ATTEMPTS = "grpc-previous-rpc-attempts"
"""The metadata that gRPC's clients send with a call that they try again."""


class OpenCalls:
    """Counts the calls of a server, and lets them come to an end when it stops. Belongs to one event loop.

    While the server stops, a new call is refused as UNAVAILABLE before anything is done for it, so that its client
    tries it again, at another server if there is one. A call that comes back is answered: its client has found no other
    server, and would soon give up.

    Attributes:
        count: How many are open.
        refused: How many were refused because the server stops.
    """

    def __init__(self) -> None:
        """No call is open."""
        self.count = self.refused = 0
        self._stopping = False
        self._none = asyncio.Event()

    def accept(self) -> None:
        """Take note of a call that the server has accepted. Must be called in the task that answers the call."""
        task = asyncio.current_task()
        if task is not None:
            self.count += 1
            task.add_done_callback(self._ended)

    def _ended(self, _task: "asyncio.Task[Any]") -> None:
        self.count -= 1
        if self._stopping and not self.count:
            self._none.set()

    def enter(self, _method: str, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        """The first step of each call: refuses it while the server stops, unless it was tried before.

        Raises:
            StoppingError: The server is stopping.
        """
        if self._stopping and all(key != PREVIOUS_ATTEMPTS for key, _ in context.invocation_metadata() or ()):
            self.refused += 1
            raise StoppingError

    async def finish(self, seconds: float) -> None:
        """Refuse new calls from now on, and return at a moment at which none is open, or when the time is over.

        Args:
            seconds: How long to wait, at most.
        """
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.count:  # another may have come before this task is woken
                    self._none.clear()
                    await self._none.wait()
