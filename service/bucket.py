"""A bucket of tokens, which limits a rate."""

from collections.abc import Callable
from time import monotonic

__all__ = ["TokenBucket"]


class TokenBucket:
    """Limits a rate: a number of events per second on average, and a number of them at once."""

    def __init__(self, rate: float, capacity: float, clock: Callable[[], float] = monotonic) -> None:
        """Start full.

        Args:
            rate: Tokens that are added per second.
            capacity: The most tokens that the bucket holds.
            clock: Gives the time, in seconds.
        """
        self._rate, self._capacity, self._clock = rate, max(1.0, capacity), clock
        self._tokens, self._then = self._capacity, clock()

    def take(self, count: int = 1) -> float:
        """Take tokens. A full bucket gives more than it holds, and then owes them: else no large batch would ever pass.

        Returns:
            0 if they were taken; else the seconds until they can be.
        """
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._then) * self._rate)
        self._then = now
        wanted = min(count, self._capacity)
        if self._tokens < wanted:
            return (wanted - self._tokens) / self._rate
        self._tokens -= count
        return 0.0
