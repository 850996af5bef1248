"""How a run is stopped: SIGINT (Ctrl-C), SIGTERM (a container, a service manager) and SIGHUP (a closed terminal).

The first signal ends the run in order, within three seconds. A second one ends it at once.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_SECONDS = 2.3


class Stopped(BaseException):
    """A signal stopped this run; raised in the main thread.

    Attributes:
        signal: Which.
        told: Whether a sentence has told people of it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = number
        self.told = False
        self._at = time.monotonic()

    @property
    def status(self) -> int:
        """The exit status, as shells count it."""
        return 128 + self.signal

    @property
    def seconds_left(self) -> float:
        """What is left for an orderly end, with half a second to spare."""
        return max(0.0, self._at + _LAST_SECONDS - 0.5 - time.monotonic())

    def tell(self, sentence: str) -> None:
        """Tell people, once."""
        if not self.told:
            self.told = True
            print(sentence, file=sys.stderr, flush=True)


_raised: list[Stopped] = []
"""What `stopping` has raised, until its block ends."""


def as_stop(error: BaseException) -> BaseException:
    """The `Stopped` that became this error: a library in whose code a signal arrives may raise an error of its own.

    Returns:
        The error itself if this process has not been stopped.
    """
    return _raised[0] if _raised else error


def raise_stop(error: BaseException) -> None:
    """Raise the `Stopped` that became this error, if there is one: what a stop turns into is no failure.

    Raises:
        Stopped: This process has been stopped.
    """
    if (stopped := as_stop(error)) is not error:
        raise stopped from error


@contextmanager
def stopping() -> Iterator[None]:
    """Turn the first signal into `Stopped`, and the process's end by it into its exit status.

    A signal that this process was started to ignore (`nohup`, a job in the background of a shell) stays ignored.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    except BaseException as error:
        stopped = as_stop(error)
        if not isinstance(stopped, Stopped):
            raise
        stopped.tell("stopped")
        raise SystemExit(stopped.status) from None
    finally:
        _raised.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 — the signature of a handler
    for other in SIGNALS:
        if signal.getsignal(other) is not signal.SIG_IGN:
            signal.signal(other, signal.SIG_DFL)
    stopped = Stopped(number)
    _raised.append(stopped)
    # A call into a library may not come back in time, or may swallow the exception.
    last = threading.Timer(_LAST_SECONDS, _leave, (stopped,))
    last.daemon = True
    last.start()
    raise stopped


def _leave(stopped: Stopped) -> None:
    stopped.tell("stopped; run the same command again to go on")
    os._exit(stopped.status)
