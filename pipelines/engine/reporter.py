"""The process that tells Prefect of a job: `python -m pipelines.engine.reporter FLOW` reads events, and repeats them.

It is a process of its own, so that nothing that befalls Prefect befalls the job: whether its server is gone, hangs, or
cannot start. It reads pickled events on standard input, which ends when the job does, however that ends; and it answers
on standard output. FLOW is a module whose `as_flow` makes a Prefect flow of a function.
"""

import importlib
import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any

from core.errors import ConfigError
from pipelines.engine import server
from pipelines.engine.events import Event, in_words

_LOOKS_EVERY = 2.0
_SILENT_AFTER = 2
"""Failed looks in turn, of five seconds at most each: a busy server may miss one."""

_LIVES_ON = 10.0
"""Seconds after the job has ended, within which Prefect is told of it or never."""


class Standing(StrEnum):
    """Where the reporter stands."""

    READY = "ready"
    """Prefect's settings are read. If they name a server, it answers."""
    REFUSED = "refused"
    """Prefect cannot be told of this run as its settings want it: the run should not begin."""
    TELLING = "telling"
    """The server is up and knows of the run."""
    SILENT = "silent"
    """The server has stopped answering."""
    TOLD = "told"
    """The server knows how the run ended: the last word."""
    GONE = "gone"
    """Nothing more will be told."""


@dataclass(frozen=True)
class Answer:
    """What the reporter says of itself."""

    standing: Standing
    reason: str = ""


class _Reporter:
    def __init__(self, asks: IO[bytes], answers: IO[bytes]) -> None:
        self._asks, self._answers = asks, answers
        self._saying = threading.Lock()
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def run(self, flow: str) -> None:
        parameters: dict[str, Any] = pickle.load(self._asks)  # noqa: S301 — written by the process that started this one
        threading.Thread(target=self._read, daemon=True).start()
        try:
            named = server.check_server()
        except ConfigError as error:
            self._say(Standing.REFUSED, str(error))
            return
        self._say(Standing.READY)
        with ExitStack() as stack:
            try:
                told = named or stack.enter_context(server.running_server(temporary=True))
                server.use(told)
            except (ConfigError, OSError) as error:
                self._say(Standing.GONE, str(error))
                return
            self._say(Standing.TELLING)
            threading.Thread(target=self._watch, args=(told,), daemon=True).start()
            try:
                self._follow(flow, parameters)
            except Exception as error:  # noqa: BLE001 — Prefect's own, which is not the job's
                self._say(Standing.GONE, in_words(error))

    def _follow(self, flow: str, parameters: dict[str, Any]) -> None:
        from prefect.events.worker import EventsWorker
        from prefect.logging.handlers import APILogWorker

        from pipelines.engine.mirror import Mirror

        as_flow = importlib.import_module(flow).as_flow
        mirror = Mirror(self._each())
        state = as_flow(lambda **_: mirror.follow())(**parameters, return_state=True)
        EventsWorker.drain_all(timeout=3)
        APILogWorker.drain_all(timeout=3)
        if mirror.has_ended:
            self._say(Standing.TOLD)
        else:
            self._say(Standing.GONE, " ".join((state.message or state.name or "the flow has ended").split()))

    def _each(self) -> Iterator[Event]:
        while event := self._events.get():
            yield event

    def _read(self) -> None:
        """Take events from the pipe at once, so that the job never waits for room in it."""
        try:
            while True:
                self._events.put(pickle.load(self._asks))  # noqa: S301 — see above
        except (EOFError, OSError, pickle.UnpicklingError):
            self._events.put(None)
        time.sleep(_LIVES_ON)
        os._exit(1)

    def _watch(self, told: server.NamedServer) -> None:
        missed = 0
        while True:
            time.sleep(_LOOKS_EVERY)
            before, missed = missed, 0 if server.answers(told) else missed + 1
            if missed == _SILENT_AFTER:
                self._say(Standing.SILENT, told.url)
            elif before >= _SILENT_AFTER and not missed:
                self._say(Standing.TELLING, told.url)

    def _say(self, standing: Standing, reason: str = "") -> None:
        try:
            with self._saying:
                pickle.dump(Answer(standing, reason), self._answers)
                self._answers.flush()
        except OSError:
            pass  # nobody listens any more


def _main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what Prefect prints is no answer
    _Reporter(sys.stdin.buffer, answers).run(sys.argv[1])
    os._exit(0)  # what Prefect still does at the end may hang


if __name__ == "__main__":
    # Run under its own name, so that what it pickles can be unpickled elsewhere.
    from pipelines.engine import reporter

    reporter._main()
