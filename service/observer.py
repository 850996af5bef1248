"""Who is told what the service does: metrics, drift, shadow, fallback. None of them may hold up an answer."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.call import Call

if TYPE_CHECKING:
    from service.loaded import Loaded

__all__ = ["Observer", "Observers"]


class Observer:
    """Is told; by default it does nothing. Its methods run on the event loop: they are quick, and never raise."""

    def computed(
        self, loaded: "Loaded", images: NDArray[np.uint8], probabilities: NDArray[np.float32], seconds: float
    ) -> None:
        """A version has computed a batch.

        Args:
            loaded: The version.
            images: (N, 28, 28), as the network saw them; not to be changed, and not to be kept without a copy.
            probabilities: (N, 10), likewise.
            seconds: What the forward pass took.
        """

    def rejected(self, loaded: "Loaded", reason: str) -> None:
        """A picture held no digit that could be read.

        Args:
            loaded: The version that would have answered.
            reason: The error's class, e.g. `NoDigitError`.
        """

    def failed(self, loaded: "Loaded", images: int) -> None:
        """A version could not compute a batch, for an unforeseen reason.

        Args:
            loaded: The version.
            images: How many there were.
        """

    def dropped(self, reason: str, pictures: int) -> None:
        """Pictures were not computed, because nobody waited for the answer any more.

        Args:
            reason: `expired` or `cancelled`.
            pictures: How many.
        """

    def answered(self, call: Call) -> None:
        """A call has ended, well or not."""

    def decoded(self, pictures: int, seconds: float) -> None:
        """Pictures of one call were decoded, or found to hold no digit.

        Args:
            pictures: How many.
            seconds: From the first to the last of them, the wait for a free thread included.
        """

    def swapped(self, loaded: "Loaded") -> None:
        """A version has begun to serve. Any thread may tell."""

    def load_failed(self, version: str, reason: str) -> None:
        """A version could not be loaded. Any thread may tell.

        Args:
            version: As replies would name it.
            reason: The error's class, e.g. `GoldenProbeError`.
        """

    def shadowed(self, loaded: "Loaded", images: int, disagreed: int) -> None:
        """A version that nobody is answered by has read the same images as the one that answered.

        Args:
            loaded: The one that nobody is answered by.
            images: How many.
            disagreed: In how many it read another digit.
        """

    def fell_back(self, left: str, taken: str) -> None:
        """The service has gone back to an earlier version by itself. Any thread may tell.

        Args:
            left: The version that did badly.
            taken: The one that serves instead.
        """

    def feedback(self, outcome: str) -> None:
        """Somebody has told the true digit of a picture. Any thread may tell.

        Args:
            outcome: `stored`, `repeated`, or the class of the error.
        """


class Observers(Observer):
    """Several as one. Each is told only what it has a method of its own for: most care for little, calls are many."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        """Tell these, in this order."""
        self._observers: list[Observer] = []
        for observer in observers:
            self._observers += observer._observers if isinstance(observer, Observers) else [observer]
        for event, silent in vars(Observer).items():
            if not event.startswith("_"):
                listeners = [each for each in self._observers if getattr(type(each), event) is not silent]
                setattr(self, event, _all_of([getattr(each, event) for each in listeners]))


def _all_of(listeners: Sequence[Callable[..., None]]) -> Callable[..., None]:
    """One function that calls all of them."""
    if len(listeners) == 1:
        return listeners[0]

    def tell(*arguments: object) -> None:
        for listener in listeners:
            listener(*arguments)

    return tell
