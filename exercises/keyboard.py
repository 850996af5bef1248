"""Single keys from a terminal, without waiting for Enter."""

import os
import select
import signal
import sys
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

try:
    import termios
    import tty
except ImportError:  # a system without POSIX terminals: `there_is_one` says no
    pass

__all__ = ["Keyboard", "there_is_one"]

ENTER, QUIT = "\n", "q"


def there_is_one() -> bool:
    """Whether a person sits at a terminal from which keys can be read."""
    try:
        return "termios" in globals() and sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):  # there is no standard input, or it is closed
        return False


class Keyboard:
    """The keys of standard input. As a context: the terminal hands on each key at once, and then is what it was."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno()
        self._before: Any = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        # Stopped with Ctrl-Z, a shell sets the terminal as it likes it; and a plain end must leave it as it was.
        self._handlers = {
            signal.SIGCONT: signal.signal(signal.SIGCONT, lambda *_: tty.setcbreak(self._fd)),
            signal.SIGTERM: signal.signal(signal.SIGTERM, _end),
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def read(self, seconds: float) -> str | None:
        """The next key within some seconds, in lower case; None if there was none. The end of the input counts as q."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return None
        try:
            data = os.read(self._fd, 1)
            if data == b"\x1b":
                self._skip_sequence()
                return None
        except OSError:
            return QUIT
        key = data.decode("ascii", "ignore").lower()
        if not data or key == "\x04":
            return QUIT
        return ENTER if key == "\r" else key or None

    def _skip_sequence(self) -> None:
        """Take the rest of what an arrow or another such key sends: ESC [ … and a letter."""
        introduced = False
        while select.select([self._fd], [], [], 0.01)[0]:
            data = os.read(self._fd, 1)
            if introduced and b"@" <= data <= b"~":
                return
            introduced = True


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)
