"""The process of the command as a worker: starting others takes longer than reading tens of thousands of images."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar

from pipelines.workers import Processes
from pipelines.workers.pool import alone

__all__ = ["Here"]

U = TypeVar("U")
R = TypeVar("R")

_WORTH = 4.0
"""Seconds of work left from which processes are started: each imports and loads for a second, or two on a busy core."""

_TIMED = 2
"""Parts that are timed before: the first one also loads the version."""


class Here:
    """Does one part after the other, and gives the rest to processes if that is quicker."""

    def __init__(self, count: int, units: int) -> None:
        """Start nothing yet.

        Args:
            count: How many processes may be started; for 1, none is.
            units: How many parts there are.
        """
        self._most, self._units = count, units
        self._started = ExitStack()
        self.count = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._started.__exit__(kind, error, traceback)

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        """See `Workers.run`."""
        quickest = float("inf")
        for done, unit in enumerate(units, 1):
            began = perf_counter()
            result = alone(function, unit)
            quickest = min(quickest, perf_counter() - began)
            yield unit, result
            left = self._units - done
            if self._most > 1 and left > 1 and done >= _TIMED and quickest * left > _WORTH:
                processes = self._started.enter_context(Processes(min(self._most, left)))
                self.count = processes.count
                yield from processes.run(function, units)
