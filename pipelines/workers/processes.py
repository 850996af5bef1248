"""Workers that are processes of this machine."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Self, TypeVar

from core.orphans import die_with_parent
from pipelines.workers.pool import ATTEMPTS, alone, lost

__all__ = ["Processes"]

U = TypeVar("U")
R = TypeVar("R")


class Processes:
    """Processes of this machine, from the first part until the block ends. Then each is killed, whatever it does."""

    def __init__(self, count: int) -> None:
        """Start nothing yet.

        Args:
            count: How many processes, at least 1.
        """
        self.count = count
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        self._workers = [_Worker() for _ in range(self.count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        """See `Workers.run`."""
        idle, busy = list(range(self.count)), dict[Future[R], tuple[int, U, int]]()
        while True:
            while idle and (unit := next(units, None)) is not None:
                number = idle.pop()
                busy[self._begin(number, function, unit)] = number, unit, 1
            if not busy:
                return
            done, _ = wait(busy, return_when=FIRST_COMPLETED)
            for future in done:
                number, unit, attempt = busy.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool as error:
                    if attempt == ATTEMPTS:
                        raise lost(unit) from error
                    busy[self._begin(number, function, unit)] = number, unit, attempt + 1
                    continue
                idle.append(number)
                yield unit, result

    def _begin(self, number: int, function: Callable[[U], R], unit: U) -> "Future[R]":
        """Have one of the workers do a part; a new one takes its place if it has died."""
        try:
            return self._workers[number].begin(function, unit)
        except BrokenProcessPool:
            self._workers[number].end()
            self._workers[number] = _Worker()
            return self._workers[number].begin(function, unit)


class _Worker:
    """One process, in an executor of its own: in one for all, the death of any would break the parts of the others."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(1, mp_context=context, initializer=_prepare)
        self._process: multiprocessing.process.BaseProcess | None = None

    def begin(self, function: Callable[[U], R], unit: U) -> "Future[R]":
        """Have the process do a part."""
        before = set(multiprocessing.active_children())
        future: Future[Any] = self._executor.submit(alone, function, unit)
        for started in set(multiprocessing.active_children()) - before:
            self._process = started
        return future

    def end(self) -> None:
        """Kill the process: it may be in the middle of a part, for which nobody waits any more."""
        if self._process is not None:
            self._process.kill()
        self._executor.shutdown(cancel_futures=True)


def _prepare() -> None:
    """A worker ends when it is killed: with the process that it works for, or by it. Ctrl-C reaches that one, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)  # it was killed before the system was asked to tell
