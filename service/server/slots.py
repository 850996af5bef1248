"""The places of the worker processes: which of them are empty, and when the next worker starts there."""

from math import inf
from time import monotonic

__all__ = ["Slots"]

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds until a worker is replaced: doubled each time, until a worker has lived for `LONG_LIFE`."""

LONG_LIFE = 30.0
"""Seconds after which a worker counts as healthy."""


class Slots:
    """The places, numbered from 1."""

    def __init__(self, count: int) -> None:
        """All places are empty, and a worker starts in each at once."""
        self._due = dict.fromkeys(range(1, count + 1), 0.0)  # empty place → when its next worker starts
        self._pauses: dict[int, float] = {}  # place → seconds before the worker after the next one

    def take_due(self) -> list[int]:
        """Take the empty places in which a worker is to start now."""
        due = [slot for slot, time in self._due.items() if time <= monotonic()]
        for slot in due:
            del self._due[slot]
        return due

    def next_due(self) -> float:
        """When the next worker is to start, by `time.monotonic`; infinite if no place is empty."""
        return min(self._due.values(), default=inf)

    def vacate(self, slot: int, lived: float) -> float:
        """Take note that a place is empty again.

        Args:
            slot: Its number.
            lived: How long its last worker lived, in seconds.

        Returns:
            Seconds until the next worker starts there.
        """
        pause = FIRST_PAUSE if lived > LONG_LIFE else self._pauses.get(slot, FIRST_PAUSE)
        self._pauses[slot] = min(LONGEST_PAUSE, 2 * pause)
        self._due[slot] = monotonic() + pause
        return pause
