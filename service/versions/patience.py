"""Work that may hang, such as a read of a network disk that is away: waited for only so long, and then left behind.

A thread that waits for a disk cannot be ended. So each piece of work gets a thread of its own, which nobody waits for
beyond the deadline: it ends when the disk answers, and its result is dropped.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import NamedTuple, TypeVar

from core.errors import RepositoryError
from service.errors import StorageHungError

__all__ = ["MOST_HANGING", "Patience"]

MOST_HANGING = 8
"""Pieces of work that may be left behind at once: each holds a thread."""

_CHECK = "check the disk, the network share or the bucket"

T = TypeVar("T")


class Patience:
    """Runs pieces of work, each under a deadline. Any thread may use it."""

    def __init__(self) -> None:
        """Nothing hangs yet."""
        self._lock = threading.Lock()
        self._hanging: dict[tuple[str, str], _Hanging] = {}

    @property
    def hanging(self) -> int:
        """How many pieces of work were left behind and have not ended."""
        return len(self._still_hanging())

    def run(self, what: str, work: Callable[[], T], seconds: float, stamp: str = "") -> T:
        """Do a piece of work.

        Args:
            what: What it is, for messages.
            work: The work. Beyond the deadline it goes on alone, so that it should change nothing that others read.
            seconds: How long to wait for it.
            stamp: What it works on looks like. While a piece of the same name and stamp hangs, no other is begun.

        Returns:
            What the work returns.

        Raises:
            StorageHungError: It has not ended in time, or an earlier piece of the same name still hangs.
            RepositoryError: Too much hangs already for more to be begun.
            Exception: What the work raises.
        """
        hanging = self._still_hanging()
        if earlier := hanging.get((what, stamp)):
            raise StorageHungError(f"{what}: no answer for {time.monotonic() - earlier.begin:.0f} s", earlier.ended)
        if len(hanging) >= MOST_HANGING:
            first = next(iter(hanging))[0]
            raise RepositoryError(
                f"{what}: not read, as {len(hanging)} reads hang already, the first of {first}; {_CHECK}"
            )
        future, begin = Future[T](), time.monotonic()
        threading.Thread(target=_fulfil, args=(future, work), name=f"storage: {what}", daemon=True).start()
        wait((future,), seconds)
        if not future.done():
            with self._lock:
                self._hanging[what, stamp] = _Hanging(begin, future.done)
            raise StorageHungError(f"{what}: no answer within {seconds:.3g} s; {_CHECK}", future.done)
        return future.result()

    def _still_hanging(self) -> "dict[tuple[str, str], _Hanging]":
        with self._lock:
            self._hanging = {what: each for what, each in self._hanging.items() if not each.ended()}
            return self._hanging


class _Hanging(NamedTuple):
    begin: float
    ended: Callable[[], bool]


def _fulfil(future: "Future[T]", work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 — whoever waits for the work raises it
        future.set_exception(error)
