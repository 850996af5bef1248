"""`Workers`: what a job needs of those who do its parts, wherever they are."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from core.errors import WorkerLostError
from core.kernels.blas import blas_threads

__all__ = ["ATTEMPTS", "Workers", "alone", "lost"]

U = TypeVar("U")
R = TypeVar("R")

ATTEMPTS = 3
"""How often a part is begun whose workers die: a part that kills each of them would otherwise never end."""


class Workers(Protocol):
    """Several workers, each of which does one part at a time."""

    @property
    def count(self) -> int:
        """How many there are now."""

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        """Do every part, and yield each with its result as soon as that is known, in any order.

        The next part is taken only when a worker is free for it, after every result so far has been yielded. So the
        parts may depend on those results, and there may be any number of them. A part whose worker died is done again.

        Args:
            function: Does one part. Both must be fit for pickling, and so must the result.
            units: The parts. Each has words for people (`str`). At its end it is asked again after every further
                result, which may have made more of them.

        Raises:
            WorkerLostError: The workers of one part died again and again, or none can be reached any more.
            Exception: Whatever `function` raised.
        """


def alone(function: Callable[[U], R], unit: U) -> R:
    """Do a part with one BLAS thread: as many workers as processors would else wait for each other."""
    with blas_threads(1):
        return function(unit)


def lost(unit: object) -> WorkerLostError:
    """The error about a part whose workers die."""
    return WorkerLostError(
        f"{unit}: each worker that began it ended without an answer, {ATTEMPTS} or more; were they out of memory? "
        "Try fewer workers, then run the same command again to go on"
    )
