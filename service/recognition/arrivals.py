"""Which calls are on their way: gRPC has accepted them, and still reads their messages."""

from collections.abc import Collection
from contextvars import ContextVar

__all__ = ["Arrivals"]

_place: ContextVar[int] = ContextVar("place", default=0)
"""The how manieth the call under way was to be accepted; 0 for one of the methods that do not count."""


class Arrivals:
    """Tells whether somebody is about to come. Belongs to one event loop.

    Calls are numbered, not counted: one that is cancelled before its message is read never begins, and would be
    waited for ever after.
    """

    def __init__(self, methods: Collection[str] = ()) -> None:
        """Nobody is on the way.

        Args:
            methods: Full names of those whose calls count.
        """
        self._methods = frozenset(methods)
        self._accepted = self._begun = 0

    def accept(self, method: str) -> None:
        """A call was accepted; called in its own context."""
        if method in self._methods:
            self._accepted += 1
            _place.set(self._accepted)

    def begin(self) -> None:
        """Its message has been read, and its work begins; called in its own context."""
        place = _place.get()
        if place > self._begun:  # messages overtake each other
            self._begun = place

    def expected(self) -> bool:
        """Whether a call is on the way that was accepted later than all that have begun."""
        return self._accepted > self._begun
