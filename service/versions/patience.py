"""Work that may hang, such as a read of a network disk that is away: waited for only so long, and then left behind.

A thread that waits for a disk cannot be ended. So the work is done in a thread that nobody waits for beyond the
deadline: it ends when the disk answers, and its result is dropped. Until then, other work is done in another thread.
"""

import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
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
        self._idle: list[_Worker] = []
        weakref.finalize(self, _dismiss, self._idle)

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
        with self._lock:
            worker = self._idle.pop() if self._idle else _Worker()
        begin, future = time.monotonic(), worker.do(work)
        wait((future,), seconds)
        if not future.done():
            worker.leave()
            with self._lock:
                self._hanging[what, stamp] = _Hanging(begin, future.done)
            raise StorageHungError(f"{what}: no answer within {seconds:.3g} s; {_CHECK}", future.done)
        with self._lock:
            self._idle.append(worker)
        return future.result()

    def _still_hanging(self) -> "dict[tuple[str, str], _Hanging]":
        with self._lock:
            self._hanging = {what: each for what, each in self._hanging.items() if not each.ended()}
            return self._hanging


class _Hanging(NamedTuple):
    begin: float
    ended: Callable[[], bool]


class _Worker:
    """A thread that does one piece of work after another. Starting a thread for each would take ten times as long."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # A daemon: it may hang, and must not hold up the end of the process.
        threading.Thread(target=_work_on, args=(self._work,), name="storage", daemon=True).start()

    def do(self, work: Callable[[], T]) -> "Future[T]":
        """Do a piece of work, after those before it."""
        future = Future[T]()

        def fulfil() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 — whoever waits for the work raises it
                future.set_exception(error)

        self._work.put(fulfil)
        return future

    def leave(self) -> None:
        """End, once the work is done."""
        self._work.put(None)


def _work_on(work: "SimpleQueue[Callable[[], None] | None]") -> None:
    while piece := work.get():
        piece()
        del piece  # what it refers to is freed now, not when there is more to do


def _dismiss(workers: "list[_Worker]") -> None:
    for worker in workers:
        worker.leave()
