"""`Reporting`: the job's end of the pipe to the process that tells Prefect of it."""

import logging
import pickle
import queue
import subprocess
import sys
import threading
from time import monotonic
from types import TracebackType
from typing import Any, Self

from core.errors import ConfigError
from pipelines.engine.environment import child_environment
from pipelines.engine.events import Ends, Event, Line, Outcome, in_words
from pipelines.engine.reporter import Answer, Standing
from pipelines.engine.stopping import Stopped
from pipelines.voice import LOGGER, say

_READY_WITHIN = 60.0
_PATIENCE = {Standing.READY: 60.0, Standing.TELLING: 30.0, Standing.SILENT: 3.0, Standing.TOLD: 10.0}
"""Seconds that a finished job waits for Prefect to know of it: long for a server that starts or works, short for one
that does not answer. A server of our own then ends in order.
"""
_LAST = (Standing.TOLD, Standing.GONE, Standing.REFUSED)
"""What it says after one of these, as its server ends, is of no interest."""

_SILENTLY = 5.0


class Reporting:
    """An observer that tells Prefect, while the block lasts. The job waits for it at the beginning and the end alone.

    Args:
        flow: The module whose `as_flow` makes the flow under which Prefect shows the job.
        parameters: Of the flow.

    Raises:
        ConfigError: Prefect's settings name a server that cannot be used, or cannot be read.
    """

    def __init__(self, flow: str, parameters: dict[str, Any]) -> None:
        self.conclusion = "done"
        self._flow, self._parameters = flow, parameters
        self._standing: Standing | None = None
        self._reason, self._changed = "", 0.0
        self._first, self._over = threading.Event(), threading.Event()
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._lines = _Lines(self)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipelines.engine.reporter", self._flow],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt is for the job, which tells it
        )
        self._outbox.put(self._parameters)
        threading.Thread(target=self._write, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()
        LOGGER.addHandler(self._lines)
        try:
            self._first.wait(_READY_WITHIN)
            if self._standing is Standing.REFUSED:
                raise ConfigError(self._reason)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, Stopped):
                if self._standing is Standing.TELLING:
                    self._finish(Ends(Outcome.STOPPED, self.conclusion), error.seconds_left)
            elif error:
                self._finish(Ends(Outcome.FAILED, in_words(error)))
            else:
                self._finish(Ends(Outcome.DONE, self.conclusion))
        except Stopped as stopped:  # while it waits for Prefect, when the job itself is done
            stopped.tell("stopped while Prefect was told of the end; the run itself was over")
            raise
        finally:
            self._leave()

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self._outbox.put(event)

    def _finish(self, ends: Ends, at_most: float = 600.0) -> None:
        self.tell(ends)
        began, silent = monotonic(), True
        while not self._over.wait(0.05):
            waited, as_it_stands = monotonic() - began, monotonic() - max(began, self._changed)
            if waited > at_most or as_it_stands > _PATIENCE.get(self._standing or Standing.READY, 0.0):
                if ends.outcome is not Outcome.STOPPED and self._standing not in _LAST:
                    say("Prefect was not told how the run ended: its server did not take it in time")
                return
            if silent and waited > _SILENTLY and self._standing is Standing.READY:
                silent = False
                say("waiting for Prefect's server to start, so that its pages show this run")

    def _leave(self) -> None:
        LOGGER.removeHandler(self._lines)
        self._over.set()  # whatever it says from now on is of no interest
        self._process.kill()  # and with it its server, see `bound`
        self._process.wait()

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101 — for mypy
        try:
            while True:
                pickle.dump(self._outbox.get(), pipe)
                pipe.flush()
        except OSError:
            return  # it has ended: `_listen` knows

    def _listen(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101 — for mypy
        try:
            while True:
                self._hear(pickle.load(pipe))  # noqa: S301 — written by the process that this one started
        except (EOFError, OSError, pickle.UnpicklingError):
            pass
        if self._standing not in _LAST:  # whatever has ended it: it has not said that it was done
            self._hear(Answer(Standing.GONE, "the process that tells it has ended"))
        self._over.set()

    def _hear(self, answer: Answer) -> None:
        if self._standing in _LAST:
            return
        self._changed = monotonic()
        before, self._standing, self._reason = self._standing, answer.standing, answer.reason
        self._first.set()
        if self._over.is_set():
            return
        if answer.standing is Standing.SILENT:
            say(f"Prefect's server at {answer.reason} does not answer: the run goes on without it")
        elif answer.standing is Standing.TELLING and before is Standing.SILENT:
            say("Prefect's server answers again, and is told what it missed")
        elif answer.standing is Standing.GONE:
            say(f"Prefect cannot be told of this run ({answer.reason}): the run goes on without it")


class _Lines(logging.Handler):
    """Passes messages for people on."""

    def __init__(self, reporting: Reporting) -> None:
        super().__init__()
        self._reporting = reporting

    def emit(self, record: logging.LogRecord) -> None:
        self._reporting.tell(Line(record.getMessage(), record.created))
