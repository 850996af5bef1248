"""A contender: an implementation that is measured step by step, in its own process."""

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
"""Unmeasured time before each measurement, as a share of it: caches fill, and sleeping threads wake up."""


class Contender(ABC):
    """One implementation of one case. Created in the process in which it is measured."""

    @abstractmethod
    def begin(self) -> None:
        """Restore the initial weights, so that every round measures the same steps."""

    @abstractmethod
    def step(self) -> int:
        """Do one step, which is what is timed; returns the number of images in it."""

    @abstractmethod
    def evidence(self) -> NDArray[np.floating[Any]]:
        """Numbers that all contenders agree on if they compute the same function: losses in float64, or logits."""

    def pace(self, seconds: float) -> float:
        """Images per second, measured for at least `seconds` and at least one step."""
        self.begin()
        self._steps(seconds * _WARM_UP)
        images, elapsed = self._steps(seconds)
        return images / elapsed

    def _steps(self, seconds: float) -> tuple[int, float]:
        """Do steps for at least `seconds`; returns the number of images and the time taken."""
        images, started = 0, perf_counter()
        while True:
            images += self.step()
            if (elapsed := perf_counter() - started) >= seconds:
                return images, elapsed


class Side:
    """A contender in its own process, which sleeps while another one is measured.

    In separate processes, no library can affect how another one uses the processor: its threads, allocators, or flags
    for denormal numbers. Use it as a context manager.

    Attributes:
        waited: Seconds for which the process was idle while others were measured: those between two of its own turns.
            Before its first turn it waits for the others to start, which disturbs nobody.
        spent: Processor seconds that it used meanwhile. If it is not close to zero, it disturbed the measured process.
    """

    def __init__(self, make: Callable[[], Contender]) -> None:
        """Start the process.

        Args:
            make: Creates the contender in the new process; must be picklable.
        """
        self.waited = self.spent = 0.0
        self._had_a_turn = False
        context = multiprocessing.get_context("spawn")
        self._connection, there = context.Pipe()
        self._process = context.Process(target=_answer, args=(there, make), daemon=True)
        self._process.start()
        there.close()  # now only the process holds this end, so if it dies, `recv` fails instead of waiting forever

    def __enter__(self) -> Self:
        """The process is already running."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self._connection.close()
        self._process.join()

    def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the contender, and wait for its result.

        Raises:
            RuntimeError: The contender failed; its traceback is on standard error.
        """
        self._connection.send((method, arguments))
        try:
            found, waited, spent = self._connection.recv()
        except EOFError as error:
            raise RuntimeError(f"{method} failed in the contender's process; the reason is printed above") from error
        if self._had_a_turn:
            self.waited, self.spent = self.waited + waited, self.spent + spent
        self._had_a_turn |= method == "pace"
        return found


def _answer(connection: "Connection[Any, Any]", make: Callable[[], Contender]) -> None:
    """In the process: answer calls until the other end of the connection is closed."""
    contender = make()
    while True:
        since, before = perf_counter(), process_time()
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        waited, spent = perf_counter() - since, process_time() - before
        connection.send((getattr(contender, method)(*arguments), waited, spent))
