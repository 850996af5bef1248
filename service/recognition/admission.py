"""How much may wait: a call that would have to wait too long is refused at once."""

import random
from time import monotonic

from service.errors import OverloadedError

__all__ = ["Admission"]

_SHORTEST_RETRY = 0.01
"""Seconds."""


class Admission:
    """Counts the pictures of waiting calls, and their bytes. Belongs to one event loop.

    Attributes:
        pictures: The number of pictures that are waiting.
        bytes: Their size.
        stay: Seconds from the admission of a call to its answer: a moving average.
    """

    def __init__(self, most_pictures: int, most_bytes: int) -> None:
        """Nothing is waiting yet.

        Args:
            most_pictures: How many may wait. If none does, one call may bring more.
            most_bytes: How many bytes may wait, likewise.
        """
        self._most_pictures, self._most_bytes = most_pictures, most_bytes
        self.pictures = self.bytes = 0
        self.stay = 0.0

    def __call__(self, pictures: int, size: int) -> "_Stay":
        """Admit a call, for as long as the context lasts.

        Args:
            pictures: The number of its pictures.
            size: Their bytes.

        Raises:
            OverloadedError: Too much is waiting already.
        """
        self.check(pictures, size)
        return _Stay(self, pictures, size)

    def check(self, pictures: int, size: int) -> None:
        """Refuse a call if too much is waiting already, without counting it: for a call that is answered at once.

        Raises:
            OverloadedError: Too much is waiting already.
        """
        if self.pictures and self.pictures + pictures > self._most_pictures:
            raise self._refusal(f"{self.pictures:,} pictures are waiting already, at most {self._most_pictures:,} may")
        if self.bytes and self.bytes + size > self._most_bytes:
            raise self._refusal(f"{self.bytes:,} bytes are waiting already, at most {self._most_bytes:,} may")

    def _refusal(self, finding: str) -> OverloadedError:
        # Spread out at random: calls that are refused together must not all return at the same moment.
        seconds = max(_SHORTEST_RETRY, self.stay) * random.uniform(1, 2)  # noqa: S311 — nothing secret
        return OverloadedError(f"too busy: {finding}; try again in {seconds * 1000:.0f} ms", seconds)


class _Stay:
    """The share of one call in what is waiting. A class rather than a generator, for speed: many calls create one."""

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
