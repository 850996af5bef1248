"""The calls that are about to begin: gRPC has accepted them, and is still reading their messages."""

from collections.abc import Collection
from contextvars import ContextVar

__all__ = ["Arrivals"]

_number: ContextVar[int] = ContextVar("number", default=0)
"""The number of the current call among those accepted, from 1; 0 for a method that is not observed."""


class Arrivals:
    """Tells whether a call has been accepted but has not begun. Belongs to one event loop.

    Calls are numbered rather than counted: a call that is cancelled before its message is read never begins, and a
    counter would expect it forever.
    """

    def __init__(self, methods: Collection[str] = ()) -> None:
        """No call has arrived yet.

        Args:
            methods: The full names of the methods to observe.
        """
        self._methods = frozenset(methods)
        self._accepted = self._begun = 0

    def accept(self, method: str) -> None:
        """Take note of a call that gRPC has accepted. Must be called in the context of the call."""
        if method in self._methods:
            self._accepted += 1
            _number.set(self._accepted)

    def begin(self) -> None:
        """Take note that the message of a call has been read. Must be called in the context of the call."""
        number = _number.get()
        if number > self._begun:  # messages may overtake each other
            self._begun = number

    def expected(self) -> bool:
        """Whether a call has been accepted after every call that has begun."""
        return self._accepted > self._begun
