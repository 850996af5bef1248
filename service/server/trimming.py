"""Gives memory back to the system that the C library keeps after a flood of large requests.

The C library keeps what was freed between blocks that are still used, for requests to come: after fifty streams with
messages of a megabyte these are tens of megabytes. In a container, they would count towards its limit for good.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["Trimming", "occupied", "trim"]

EVERY_SECONDS = 2.0
"""Seconds between two looks."""

WORTH_BYTES = 16 * 1024 * 1024
"""Growth since the last time that makes it worth the milliseconds that it takes."""


def occupied(statm: Path = Path("/proc/self/statm")) -> int:
    """Bytes of memory that this process occupies; 0 if that is unknown, on systems other than Linux."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def trim() -> None:
    """Give back what the C library keeps; a no-op with one that cannot, such as musl."""
    function = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if function:
        function(0)


class Trimming:
    """Trims now and then, if the process has grown since the last time. Belongs to one event loop."""

    def __init__(self, occupied: Callable[[], int] = occupied, trim: Callable[[], None] = trim) -> None:
        """Nothing happens before `start`.

        Args:
            occupied: The bytes that the process occupies.
            trim: Gives back what it can.
        """
        self._occupied, self._trim = occupied, trim
        self._least = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look now and then from now on."""
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Look no more."""
        if self._task:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Trim if the process has grown. What is really needed grows too, and then this is not repeated for it."""
        if self._occupied() - self._least > WORTH_BYTES:
            await asyncio.to_thread(self._trim)
            self._least = self._occupied()
