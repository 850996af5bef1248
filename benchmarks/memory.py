"""The memory of a service over hours: whether it is flat."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from statistics import median
from threading import Event, Thread
from time import monotonic

import numpy as np

from benchmarks.sides import family, resident

__all__ = ["Memory", "total", "watched"]

EVERY = 1.0
SHARE = 10
"""The beginning and the end are this part of the whole time: 10 for a tenth each."""


@dataclass
class Memory:
    """Resident memory of all processes of a service, in MB, and when it was measured, in seconds."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def note(self, seconds: float, megabytes: float) -> None:
        """Add a measurement."""
        self.seconds.append(seconds)
        self.megabytes.append(megabytes)

    @property
    def first(self) -> float:
        """The median of the beginning."""
        return median(self.megabytes[: max(1, len(self.megabytes) // SHARE)])

    @property
    def last(self) -> float:
        """The median of the end."""
        return median(self.megabytes[-max(1, len(self.megabytes) // SHARE) :])

    @property
    def slope(self) -> float:
        """The growth in MB per hour over the second half, by least squares; 0 if that is too short for a line."""
        half = len(self.seconds) // 2
        if len(self.seconds) - half < 2:
            return 0.0
        return float(np.polyfit(self.seconds[half:], self.megabytes[half:], 1)[0]) * 3600


@contextmanager
def watched(pid: int, every: float = EVERY) -> Iterator[Memory]:
    """Measure a process and its descendants until the block ends.

    Args:
        pid: The process.
        every: Seconds between two measurements.
    """
    memory, enough, began = Memory(), Event(), monotonic()

    def watch() -> None:
        while not enough.wait(every):
            memory.note(monotonic() - began, total(pid))

    memory.note(0.0, total(pid))
    thread = Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        enough.set()
        thread.join()


def total(pid: int) -> float:
    """Resident memory of a process and its descendants, in MB."""
    megabytes = 0.0
    for member in family(pid):
        with suppress(OSError, IndexError):  # it has ended meanwhile
            megabytes += resident(member)
    return megabytes
