"""A limit of time that interrupts Python code where it is, so that the line of an endless loop is known."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["OutOfTimeError", "limited"]


class OutOfTimeError(BaseException):
    """The time is over. Not an `Exception`, so that the `except Exception` of a learner does not catch it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the body after some seconds, and every second from then on.

    Only in the main thread, and only where the system has SIGALRM; elsewhere, the process that waits for this one ends
    it.
    """
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
