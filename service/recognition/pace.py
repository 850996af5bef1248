"""How fast this machine really is: what tasks were expected to take, against what they took."""

__all__ = ["Pace"]

MEMORY = 0.95
"""The weight of the past at each new measurement: what was measured 14 tasks ago counts half."""

FIRST_SECONDS = 0.1
"""The weight of the expectation before anything is measured, in seconds of work."""

SLOWEST, FASTEST = 8.0, 0.25
"""Bounds, so that nobody can mislead the estimate of all others with pictures that are not what their headers say."""


class Pace:
    """A moving average: seconds of work really taken, for each second expected."""

    def __init__(self) -> None:
        """The machine is taken to be as fast as expected."""
        self._expected = self._taken = FIRST_SECONDS

    def __call__(self, expected: float) -> float:
        """How long a task takes here, in seconds, that is expected to take so long on the machine of the estimates."""
        return expected * min(SLOWEST, max(FASTEST, self._taken / self._expected))

    def learn(self, expected: float, taken: float) -> None:
        """Take note of a task that is done.

        Args:
            expected: The seconds that it was expected to take.
            taken: The seconds that it took.
        """
        self._expected = MEMORY * self._expected + expected
        self._taken = MEMORY * self._taken + taken
