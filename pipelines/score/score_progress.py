"""The progress of a scoring: a bar in a terminal, elsewhere a line now and then."""

from time import monotonic

from pipelines.progress import Bar
from pipelines.voice import say

__all__ = ["ScoreProgress"]

_EVERY = 30.0
"""Seconds between two lines."""


class ScoreProgress(Bar):
    """Counts what this run has looked at."""

    def __init__(self, items: int, kept: int) -> None:
        """Show nothing yet.

        Args:
            items: How many there are.
            kept: How many of them an earlier run has done.
        """
        super().__init__("scoring", "images", items, done=kept)
        self._items, self._kept, self.done = items, kept, 0
        self._began = self._told = monotonic()

    def add(self, count: int) -> None:
        """Count a part."""
        self.done += count
        now = monotonic()
        rate = f"{self.done / max(now - self._began, 1e-3):,.0f} images/s"
        if self.live:
            self.show(self._kept + self.done, rate)
        elif now - self._told >= _EVERY:
            self._told = now
            say(f"  {self._kept + self.done:,} of {self._items:,} images · {rate}")
