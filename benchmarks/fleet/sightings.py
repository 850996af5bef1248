"""Which versions have answered in one place that follows a repository, and when each did so first."""

from threading import Condition
from time import monotonic

from core.errors import ConfigError

__all__ = ["Sightings"]


class Sightings:
    """Written by the thread that sees the answers, read by the one that promotes.

    Attributes:
        backwards: How often an earlier version has answered after a later one.
    """

    def __init__(self, place: str) -> None:
        """Nothing was seen yet.

        Args:
            place: What it is, for messages.
        """
        self._place = place
        self.backwards = 0
        self._first: dict[int, float] = {}
        self._latest = 0
        self._news = Condition()

    def note(self, version: int) -> None:
        """A version has answered now."""
        with self._news:
            if version < self._latest:
                self.backwards += 1
            self._latest = max(self._latest, version)
            if version not in self._first:
                self._first[version] = monotonic()
                self._news.notify_all()

    def wait(self, version: int, seconds: float) -> float:
        """When a version answered first, by the monotonic clock; waits until it has.

        Raises:
            ConfigError: It has not answered in time.
        """
        with self._news:
            if not self._news.wait_for(lambda: version in self._first, seconds):
                latest = f"version {self._latest} does" if self._latest else "nothing does"
                raise ConfigError(
                    f"{self._place}: version {version} does not answer after {seconds:g} s, {latest}; "
                    "is the machine too busy for so many?"
                )
            return self._first[version]
