"""Gives memory back to the system that the C library keeps after a flood of large requests.

The C library keeps what was freed between blocks that are still used, for requests to come: after fifty streams with
messages of a megabyte these are tens of megabytes. In a container, they would count towards its limit for good.
"""

import asyncio
import ctypes
from collections.abc import Callable
from typing import ClassVar

from service.occupied import occupied

__all__ = ["Trimming", "trim", "unused"]

EVERY_SECONDS = 0.5
"""Seconds between two looks."""

WORTH_BYTES = 16 * 1024 * 1024
"""Growth that makes it worth the milliseconds that it takes."""

LONGEST_PAUSE = 128
"""Looks that are passed over at most while the process needs what it has, and nothing can be given back: a minute."""


def trim() -> None:
    """Give back what the C library keeps; a no-op with one that cannot, such as musl."""
    function = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if function:
        function(0)


class _Heap(ctypes.Structure):
    """glibc's `struct mallinfo2`: what the C library has taken from the system."""

    _fields_: ClassVar = [(f"field_{number}", ctypes.c_size_t) for number in range(8)] + [
        ("free", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


def unused() -> int:
    """Bytes that the C library has and nobody uses, given back or not; 0 with one that does not tell."""
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is None:
        return 0
    function.restype = _Heap
    return int(function().free)


class Trimming:
    """Trims now and then, if the process has grown since the last time. Belongs to one event loop."""

    def __init__(
        self,
        occupied: Callable[[], int] = occupied,
        trim: Callable[[], None] = trim,
        unused: Callable[[], int] = unused,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            occupied: The bytes that the process occupies.
            trim: Gives back what it can.
            unused: The bytes that could be given back, or were.
        """
        self._occupied, self._trim, self._unused = occupied, trim, unused
        self._given_back = 0  # of what is unused
        self._least = occupied()
        self._pause = self._passed = 0  # looks to pass over, and how many of them were
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
        """Trim if the process has grown.

        If that gives little back, ever more looks are passed over before the next, unless much was freed meanwhile.
        """
        before = self._occupied()
        if before - self._least <= WORTH_BYTES:
            self._pause = self._passed = 0
            return
        unused = self._unused()
        self._given_back = min(self._given_back, unused)  # some of that is used again
        if self._passed < self._pause and unused - self._given_back <= WORTH_BYTES:
            self._passed += 1
            return
        await asyncio.to_thread(self._trim)
        self._given_back = self._unused()
        after = self._occupied()
        self._least, self._passed = min(self._least, after), 0
        self._pause = 0 if before - after > WORTH_BYTES else min(LONGEST_PAUSE, 2 * self._pause + 1)
