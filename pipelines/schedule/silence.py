"""For how long others have given no sign of life, by this process's own clock: clocks of two machines may differ."""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Silence"]


class Silence:
    """Watches numbers that grow as long as those who write them live."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        """Nothing is watched yet.

        Args:
            seconds: How long a number has to stay as it is.
            clock: Seconds that never go back.
        """
        self._seconds = seconds
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def lasts(self, name: str, signs: int) -> bool:
        """Whether the number has been the same in every look for so long. The first look only begins to watch.

        Looks have to be made at least twice in that time. One that comes later proves nothing, since whatever has
        suspended this process may have suspended the others as well: the time begins again.

        Args:
            name: Of the one who writes it.
            signs: The number, as it is now.
        """
        now = self._clock()
        before = self._watched.get(name)
        goes_on = before and before.signs == signs and now - before.looked <= self._seconds / 2
        since = before.since if before and goes_on else now
        self._watched[name] = _Watched(signs, since, now)
        return now - since >= self._seconds


class _Watched(NamedTuple):
    """A number, since when it has been this one, and when it was looked at last."""

    signs: int
    since: float
    looked: float
