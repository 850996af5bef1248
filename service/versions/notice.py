"""Waits until something may have changed: a local folder is watched, anything else is polled."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch

__all__ = ["Notice", "pause_after"]

TICK = 0.1
"""Seconds between two checks that cost next to nothing."""

ECHO = 1.0
"""Seconds after a change in which the pause is no longer than a tick. A version is a folder that was just made, and
files written into it can go unnoticed, because the new folder is not watched yet."""

LOOKING_SHARE = 0.01
"""The share of a core that looks may take when nothing is new: the more versions there are, the longer the pauses."""

LONGEST_PAUSE = 60.0
"""Seconds between two looks, at most, unless the settings ask for more."""

DEBOUNCE_MS, STEP_MS = 50, 10
"""Milliseconds for which changes are gathered before they are reported."""

_log = logging.getLogger(__name__)


def pause_after(look_seconds: float, interval: float) -> float:
    """Seconds until the next look, unless something is noticed before.

    Args:
        look_seconds: CPU time that a look takes.
        interval: The shortest pause, in seconds, which the settings give.
    """
    return max(interval, min(LONGEST_PAUSE, look_seconds / LOOKING_SHARE))


class Notice:
    """Tells when to look again. A folder that the system cannot watch is polled, like everything else."""

    def __init__(self, folder: Path | None, glance: Callable[[], bool]) -> None:
        """Watch nothing yet.

        Args:
            folder: What to watch; None for nothing. It need not exist yet.
            glance: Whether something else has changed; quick.
        """
        self._folder = folder
        self._glance = glance
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._last_change = float("-inf")

    def start(self) -> None:
        """Begin to watch, from a thread."""
        if self._folder:
            # A daemon: it may hang on a disk that does not answer.
            threading.Thread(target=self._watch, name="notice", daemon=True).start()

    def stop(self) -> None:
        """Stop watching, and end every wait."""
        self._stopped.set()
        self._changed.set()

    def wait(self, seconds: float) -> bool:
        """Wait until something has changed, but at most for this many seconds.

        Returns:
            Whether to go on; False once stopped.
        """
        start = time.monotonic()
        while not self._stopped.is_set():
            now = time.monotonic()
            pause = min(seconds, TICK) if now - self._last_change < ECHO else seconds
            if now - start >= pause or self._glance():
                break
            if self._changed.wait(min(TICK, pause - (now - start))):
                self._changed.clear()
                self._last_change = time.monotonic()
                break
        return not self._stopped.is_set()

    def _watch(self) -> None:
        said = False
        while self._folder and not self._stopped.is_set():
            again = 1.0
            try:
                if self._folder.is_dir():
                    self._tell_changes(self._folder)
            except Exception as error:  # noqa: BLE001 — whatever the system says, polling goes on
                if not said:
                    _log.warning("%s cannot be watched (%s): it is polled instead", self._folder, error)
                said, again = True, LONGEST_PAUSE  # each attempt walks through all folders
            self._stopped.wait(again)

    def _tell_changes(self, folder: Path) -> None:
        watched = folder.resolve()
        changes = watch(
            folder,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._stopped,
            rust_timeout=1000,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,  # one folder that may not be entered does not end the watch of the others
        )
        for change in changes:
            if change:
                self._changed.set()
            elif folder.resolve() != watched or not folder.is_dir():
                # Another folder has taken its place, as when a link was switched, or may do so: it is watched anew.
                self._changed.set()
                return
