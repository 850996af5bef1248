"""Looks for renewed certificates and tokens, in a thread of its own: a storage that hangs delays no call."""

import logging
import threading
from time import monotonic

from service.api.tokens import Tokens
from service.server.self_check import SelfCheck
from service.server.tls import Certificates

__all__ = ["LOOK_SECONDS", "SELF_CHECK_SECONDS", "Renewal"]

LOOK_SECONDS = 1.0
"""Seconds between two looks at the files."""

SELF_CHECK_SECONDS = 60.0
"""Seconds between two handshakes of the server with itself."""

LONGEST_STOP_SECONDS = 1.0
"""Seconds to wait for the last look."""

_log = logging.getLogger(__name__)


class Renewal:
    """Keeps certificates and tokens up to date while the service runs."""

    def __init__(self, certificates: Certificates | None, tokens: Tokens | None, check: SelfCheck | None) -> None:
        """Look at nothing yet.

        Args:
            certificates: Those that the server listens with, if any.
            tokens: Those that calls need, if any.
            check: How to check what clients see, if there are certificates.
        """
        self._certificates, self._tokens, self._check = certificates, tokens, check
        self._wake = threading.Event()
        self._ended = False
        # A daemon, because the process must not wait for a storage that hangs.
        self._thread = threading.Thread(target=self._run, name="renewal", daemon=True)

    def start(self) -> None:
        """Begin to look, if there is anything to look at."""
        if self._certificates or self._tokens:
            self._thread.start()

    def look_now(self) -> None:
        """Look at once, rather than at the next time. Returns immediately."""
        _log.info("asked to read certificates and tokens again")
        self._wake.set()

    def stop(self) -> None:
        """Look no more, and wait until the last look is over, unless it hangs. May be called again, or before `start`.

        To be called before the server stops: its port would not answer a last check, which would be a false alarm.
        """
        self._ended = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(LONGEST_STOP_SECONDS)

    def _run(self) -> None:
        next_check = 0.0
        while not self._ended:
            try:
                self._look()
                if self._check and monotonic() >= next_check:
                    next_check = monotonic() + SELF_CHECK_SECONDS
                    self._check.run()
            except Exception:  # noqa: BLE001 — a mistake of ours must not end the looks for good
                _log.exception("looking for renewed certificates and tokens failed for an unforeseen reason")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()  # after the wait and before the look: whoever asks meanwhile is not forgotten

    def _look(self) -> None:
        if self._certificates:
            self._certificates.look()
        if self._tokens:
            self._tokens.look()
