"""How much may wait: a call that would have to wait too long is refused at once."""

import random
import sys
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from service.call import client, expires
from service.errors import OverloadedError
from service.quota import quota
from service.recognition.fair import Forecast
from service.recognition.room import Room

__all__ = ["Admission"]

_SHORTEST_RETRY = 0.01
"""Seconds."""


class _Queue(Protocol):
    """What calls wait in for a thread: see `service.recognition.workers.Workers`."""

    longest_wait: float

    def forecast(self, expected: Sequence[float]) -> Forecast | None: ...


class Admission:
    """Counts the pictures of waiting calls, and their bytes. Belongs to one event loop.

    Attributes:
        stay: Seconds from the admission of a call to its answer: a moving average.
    """

    def __init__(
        self,
        most_pictures: int = sys.maxsize,
        most_bytes: int = sys.maxsize,
        workers: _Queue | None = None,
        refused: Callable[[str, str], object] = lambda reason, role: None,  # noqa: ARG005 — nobody is notified
    ) -> None:
        """Nothing is waiting yet.

        Args:
            most_pictures: How many may wait. If none does, one call may bring more.
            most_bytes: How many bytes may wait, likewise.
            workers: The threads that calls wait for, and the longest wait for them; None if that is not limited.
            refused: Called with the reason of each refusal, and the role of the token if its quota is the reason; see
                `Observer.refused`.
        """
        self._pictures, self._bytes = Room(most_pictures), Room(most_bytes)
        self._workers = workers
        self._refused = refused
        self.stay = 0.0

    @property
    def pictures(self) -> int:
        """The number of pictures that are waiting."""
        return self._pictures.taken

    @property
    def bytes(self) -> int:
        """Their size."""
        return self._bytes.taken

    def __call__(self, pictures: int, size: int, expected: Sequence[float] = ()) -> "_Stay":
        """Admit a call, for as long as the context lasts.

        Args:
            pictures: The number of its pictures.
            size: Their bytes.
            expected: The seconds that a thread is expected to take for each picture that is encoded.

        Raises:
            OverloadedError: Too much is waiting already, or the token of the call is over its quota.
        """
        self.check(pictures, size, expected)
        return _Stay(self, pictures, size)

    def check(self, pictures: int, size: int, expected: Sequence[float] = ()) -> None:
        """Refuse a call, or take it off its quota, without counting it: for a call that is answered at once.

        Raises:
            OverloadedError: As above.
        """
        if self._pictures.taken:
            whose = client.get()
            if reason := self._pictures.lacks(whose, pictures):
                raise self._no_room(reason, self._pictures, "pictures")
            if reason := self._bytes.lacks(whose, size):
                raise self._no_room(reason, self._bytes, "bytes")
        if expected and self._workers:
            self._check_time(self._workers, expected)
        if (limit := quota.get()) is not None and (seconds := limit.pictures.take(pictures)):
            self._refused("quota", limit.role)
            raise _refusal("your token is over its quota of pictures", seconds, seconds)

    def _check_time(self, workers: _Queue, expected: Sequence[float]) -> None:
        forecast = workers.forecast(expected)
        if forecast is None:
            return
        if (excess := forecast.begun - workers.longest_wait) > 0:
            others = forecast.begun - forecast.own
            reason, cause = ("queue", "") if others > workers.longest_wait else ("share", " with your other calls")
            self._refused(reason, "")
            raise _refusal(
                f"too busy{cause}: it would take about {forecast.begun:.1f} s until this is begun, at most "
                f"{workers.longest_wait:g} s are allowed",
                excess,
                forecast.begun,
            )
        left = expires.get() - monotonic()
        if forecast.done > left:
            self._refused("deadline", "")
            raise _refusal(
                f"too busy: this would be done in about {forecast.done:.1f} s, and the deadline is in {left:.1f} s",
                forecast.done - left,
                forecast.begun,
            )

    def _no_room(self, reason: str, room: Room, unit: str) -> OverloadedError:
        self._refused(reason, "")
        finding = f"{room.taken:,} {unit} are waiting already, at most {room.most:,} may"
        if reason == "share":
            finding = f"most of the {unit} that may wait are yours already; the rest is kept for others"
        return _refusal(f"too busy: {finding}", self.stay, self.stay)


def _refusal(finding: str, earliest: float, spread: float) -> OverloadedError:
    """The refusal of a call that may be tried again after `earliest` seconds.

    Calls that are refused together must not all return together: they are spread out at random over `spread` seconds,
    about the time that it takes to serve what is waiting now.
    """
    seconds = max(_SHORTEST_RETRY, earliest) + random.uniform(0, max(_SHORTEST_RETRY, spread))  # noqa: S311 — no secret
    return OverloadedError(f"{finding}; try again in {seconds * 1000:.0f} ms", seconds)


class _Stay:
    """The share of one call in what is waiting. A class rather than a generator, for speed: many calls create one."""

    __slots__ = ("_admission", "_client", "_pictures", "_size", "_start")

    def __init__(self, admission: Admission, pictures: int, size: int) -> None:
        self._admission, self._pictures, self._size = admission, pictures, size
        self._client = client.get()
        self._start = monotonic()

    def __enter__(self) -> None:
        self._admission._pictures.enter(self._client, self._pictures)
        self._admission._bytes.enter(self._client, self._size)

    def __exit__(self, *_: object) -> None:
        self._admission._pictures.leave(self._client, self._pictures)
        self._admission._bytes.leave(self._client, self._size)
        self._admission.stay += 0.1 * (monotonic() - self._start - self._admission.stay)
