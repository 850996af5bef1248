"""Who is measured: anybody who can do one step after the other, in a process of his own."""

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter, process_time
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_WARM_UP = 0.1
"""Of the time that is measured: so much goes before it, unmeasured. Caches fill, and sleeping threads wake up."""


class Contender(ABC):
    """One way of computing one case. Made in the process that it is measured in."""

    @abstractmethod
    def begin(self) -> None:
        """Back to the initial weights: every round measures the same steps."""

    @abstractmethod
    def step(self) -> int:
        """What is timed; returns how many images it was for."""

    @abstractmethod
    def evidence(self) -> NDArray[np.floating[Any]]:
        """Numbers that come out alike for all who compute the same: first losses in float64, or logits."""

    def pace(self, seconds: float) -> float:
        """Images a second, over at least so many seconds and one step."""
        self.begin()
        self._steps(seconds * _WARM_UP)
        images, elapsed = self._steps(seconds)
        return images / elapsed

    def _steps(self, seconds: float) -> tuple[int, float]:
        """Do steps for so long; returns images and seconds."""
        images, started = 0, perf_counter()
        while True:
            images += self.step()
            if (elapsed := perf_counter() - started) >= seconds:
                return images, elapsed


class Side:
    """A contender in a process of its own, which waits, asleep, while another is measured.

    Apart, no library can change how another one uses the processor: threads, allocators, flags for small numbers.
    Use it as a context manager.

    Attributes:
        waited: Seconds that the process was ready and asked nothing.
        spent: Seconds of processor time that it took meanwhile. Next to none; or it disturbs those who are measured.
    """

    def __init__(self, make: Callable[[], Contender]) -> None:
        """Start the process.

        Args:
            make: Makes the contender there; must be picklable.
        """
        self.waited = self.spent = 0.0
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_answer, args=(there, make), daemon=True)
        self._process.start()
        there.close()  # now the process alone holds this end, so that its death ends a wait for its answer

    def __enter__(self) -> Self:
        """The process runs already."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the contender, and wait for what it returns.

        Raises:
            RuntimeError: The contender failed; its traceback is on standard error.
        """
        self._connection.send((method, arguments))
        try:
            found, waited, spent = self._connection.recv()
        except EOFError as error:
            raise RuntimeError(f"{method} failed in the contender's process; the reason stands above") from error
        self.waited, self.spent = self.waited + waited, self.spent + spent
        return found


def _answer(connection: "Connection[Any, Any]", make: Callable[[], Contender]) -> None:
    """In the process: answer one call after the other, until the other end is closed."""
    contender = make()
    while True:
        since, before = perf_counter(), process_time()
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        waited, spent = perf_counter() - since, process_time() - before
        connection.send((getattr(contender, method)(*arguments), waited, spent))
