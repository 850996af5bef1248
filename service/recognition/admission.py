"""How much may wait. A call that would wait too long is told so at once; one that nobody waits for is not computed."""

import random
from time import monotonic

from service.errors import OverloadedError

__all__ = [
    "Admission",
]


_SHORTEST_RETRY = 0.01
"""Seconds."""


class Admission:
    """Counts what waits, in pictures and in bytes. Belongs to one event loop.

    Attributes:
        pictures: How many wait.
        bytes: How large they are together.
        stay: Seconds that a call waits, and is computed: a moving average.
    """

    def __init__(self, most_pictures: int, most_bytes: int) -> None:
        """Nothing waits yet.

        Args:
            most_pictures: How many may wait. Where none does, one call may bring more.
            most_bytes: How large they may be together, likewise.
        """
        self._most_pictures, self._most_bytes = most_pictures, most_bytes
        self.pictures = self.bytes = 0
        self.stay = 0.0

    def __call__(self, pictures: int, size: int) -> "_Stay":
        """Let a call in, for as long as the context lasts.

        Args:
            pictures: How many it brings.
            size: Their bytes.

        Raises:
            OverloadedError: Too much waits already.
        """
        self.check(pictures, size)
        return _Stay(self, pictures, size)

    def check(self, pictures: int, size: int) -> None:
        """Turn a call away if too much waits already; let in, it must not wait.

        Raises:
            OverloadedError: Too much waits already.
        """
        if self.pictures and self.pictures + pictures > self._most_pictures:
            raise self._refusal(f"{self.pictures:,} pictures wait already, at most {self._most_pictures:,} may")
        if self.bytes and self.bytes + size > self._most_bytes:
            raise self._refusal(f"{self.bytes:,} bytes wait already, at most {self._most_bytes:,} may")

    def _refusal(self, finding: str) -> OverloadedError:
        # Not all at the same moment: else they would meet again at the door.
        seconds = max(_SHORTEST_RETRY, self.stay) * random.uniform(1, 2)  # noqa: S311 — nothing secret
        return OverloadedError(f"too busy: {finding}; try again in {seconds * 1000:.0f} ms", seconds)


class _Stay:
    """What one call adds to what waits. A class, not a generator: many calls make one."""

    __slots__ = ("_admission", "_pictures", "_size", "_start")

    def __init__(self, admission: Admission, pictures: int, size: int) -> None:
        self._admission, self._pictures, self._size = admission, pictures, size
        self._start = monotonic()

    def __enter__(self) -> None:
        self._admission.pictures += self._pictures
        self._admission.bytes += self._size

    def __exit__(self, *_: object) -> None:
        self._admission.pictures -= self._pictures
        self._admission.bytes -= self._size
        self._admission.stay += 0.1 * (monotonic() - self._start - self._admission.stay)
