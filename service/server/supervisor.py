"""The supervisor of several worker processes that serve on one port.

The supervisor forks the workers, passes signals on to them, and replaces a worker that dies or hangs. It answers no
calls. The workers share what the supervisor has imported: it saves memory and the time to start. So the supervisor must
hold nothing that does not survive a fork: no threads, no event loop, no gRPC object, no connection to a repository.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import monotonic
from types import FrameType

from core.errors import ConfigError, NumeralError
from service.server.heartbeat import LOOKS, Heartbeat, Watch, life_of
from service.server.lifetime import HURRIED, SIGNALS, WorkerGroup
from service.server.slots import Slots
from service.settings import RUN_DIR, Settings
from service.telemetry import exposition
from service.telemetry.replacements import Replacements

__all__ = ["Supervisor", "Work"]

KILL_AFTER = 5.0
"""A worker that does not end is killed this many seconds after the time to drain is over."""

CONFIG = 2
"""The exit status for an impossible setting."""

_log = logging.getLogger(__name__)
_fork = get_context("fork")

Work = Callable[[Callable[[str], None], WorkerGroup], int]
"""Serves in a worker: takes the function to call once the worker listens, and the group; gives the exit status."""


@dataclass
class _Worker:
    """One worker process.

    Attributes:
        slot: The number of its slot, from 1; its replacement gets the same slot.
        process: The process.
        ready: Becomes readable once the process listens.
        started: When it was started, by `time.monotonic`.
        watch: Notices that it has hung.
        listens: Whether it has reported that it listens.
        killed: Why the supervisor has killed it; "" if it has not.
    """

    slot: int
    process: ForkProcess
    ready: connection.Connection
    started: float
    watch: Watch
    listens: bool = False
    killed: str = ""


class Supervisor:
    """Keeps a number of workers alive until it is asked to stop."""

    def __init__(self, settings: Settings, work: Work, announce: Callable[[str], None], count: int) -> None:
        """Start nothing yet.

        Args:
            settings: With the port that is reserved.
            work: What each worker does.
            announce: Called once with `listening on HOST:PORT`, as soon as every worker listens.
            count: The number of workers.
        """
        self._settings = settings
        self._work = work
        self._announce = announce
        self._count = count
        self._workers: list[_Worker] = []
        self._slots = Slots(count)
        self._announced = False
        self._signals: list[int] = []  # received so far
        self._forwarded = 0  # how many of them were passed on
        self._kill_at = inf  # finite once they are asked to stop
        self._looked = monotonic()  # when their heartbeats were looked at last
        self._statuses: set[int] = set()  # exit statuses of workers that ended after they were asked to
        self._lifeline, self._end = os.pipe()  # nothing is ever written: the other end closes when this process dies
        self._woken, self._wake = socket.socketpair()
        self._replacements = Replacements() if settings.metrics_port is not None else None

    def run(self) -> int:
        """Start the workers, and wait for the end.

        Returns:
            The exit status.
        """
        for end in (self._woken, self._wake):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno())
        for number in SIGNALS:
            signal.signal(number, self._note)
        while True:
            self._forward()
            if not self._stopping:
                self._workers += [self._start(slot) for slot in self._slots.take_due()]
            elif not self._workers:
                return self._status()
            self._wait()

    @property
    def _stopping(self) -> bool:
        return self._kill_at < inf

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _forward(self) -> None:
        """Pass each signal that was received on to the workers."""
        for number in self._signals[self._forwarded :]:
            self._forwarded += 1
            if number == signal.SIGHUP:
                self._send(number)
            else:
                self._stop(number)

    def _stop(self, number: int) -> None:
        patience = self._settings.drain_wait_seconds + self._settings.drain_seconds + KILL_AFTER
        self._kill_at = min(self._kill_at, monotonic() + patience)
        self._send(number)

    def _send(self, number: int) -> None:
        for pid in filter(None, [worker.process.pid for worker in self._workers]):
            os.kill(pid, number)

    def _start(self, slot: int) -> _Worker:
        ready, sender = _fork.Pipe(duplex=False)
        heartbeat = Heartbeat()
        process = _fork.Process(target=self._live, args=(sender, heartbeat))
        # Signals are blocked, so that one that arrives early is delivered once the worker has its handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        sender.close()
        watch = Watch(heartbeat, self._settings.heartbeat_seconds, lambda: life_of(process.pid or 0))
        return _Worker(slot, process, ready, monotonic(), watch)

    def _live(self, sender: connection.Connection, heartbeat: Heartbeat) -> None:
        """Runs in the worker, from the fork to its end."""
        os.setpgid(0, 0)  # Ctrl-C in a terminal reaches the supervisor only, which passes it on
        signal.set_wakeup_fd(-1)
        os.close(self._end)
        try:
            group = WorkerGroup(self._count, self._lifeline, heartbeat)
            status = self._work(lambda _: sender.send_bytes(b"listens"), group)
        except NumeralError as error:
            print(f"error: {error}", file=sys.stderr)
            status = CONFIG if isinstance(error, ConfigError) else 1
        except BaseException:  # noqa: BLE001 — it must not reach the code of the supervisor, which continues below
            _log.exception("a worker met an unforeseen error")
            status = 1
        logging.shutdown()
        os._exit(status)  # waits for no thread, and leaves the resources of the supervisor alone

    def _wait(self) -> None:
        """Sleep until something happens, and act on it."""
        ready = {worker.ready: worker for worker in self._workers if not worker.listens}
        ends = {worker.process.sentinel: worker for worker in self._workers}
        happened = connection.wait([self._woken, *ready, *ends], self._longest_sleep())
        if self._woken in happened:
            self._woken.recv(4096)
        for worker in (ready[end] for end in ready if end in happened):
            self._listens(worker)
        for worker in (ends[end] for end in ends if end in happened):
            self._ended(worker)
        self._look()
        if monotonic() > self._kill_at:
            for worker in self._workers:
                worker.process.kill()

    def _longest_sleep(self) -> float | None:
        wake = self._kill_at
        if not self._stopping:
            wake = self._slots.next_due()
            if self._settings.heartbeat_seconds:
                wake = min(wake, self._looked + self._settings.heartbeat_seconds / LOOKS)
        return max(0.0, wake - monotonic()) + 0.01 if wake < inf else None

    def _look(self) -> None:
        """Kill each worker that has hung; SIGTERM would not reach a process that is stopped."""
        elapsed = monotonic() - self._looked
        if self._stopping or elapsed < self._settings.heartbeat_seconds / LOOKS:
            return
        self._looked += elapsed
        for worker in self._workers:
            seconds = worker.watch.silent(elapsed)
            if seconds is not None and not worker.killed:
                worker.killed = f"its event loop was silent for {seconds:.1f} seconds"
                worker.process.kill()

    def _listens(self, worker: _Worker) -> None:
        """Take note that a worker listens."""
        try:
            worker.ready.recv_bytes()
        except EOFError:
            return  # it has died, which `_ended` handles
        worker.listens = True
        if not self._announced and sum(worker.listens for worker in self._workers) == self._count:
            self._announced = True
            self._announce(f"listening on {self._settings.address}")

    def _ended(self, worker: _Worker) -> None:
        """Take note that a worker has ended; one that was not asked to is replaced."""
        self._workers.remove(worker)
        worker.process.join()
        worker.ready.close()
        code = worker.process.exitcode or 0
        if self._settings.metrics_port is not None and worker.process.pid:
            exposition.forget(Path(os.environ[RUN_DIR]), worker.process.pid)
        if self._stopping:
            self._statuses.add(code)
        elif code == CONFIG and not self._announced:
            self._statuses.add(code)  # it has printed what is wrong; its replacement would meet the same error
            self._stop(signal.SIGTERM)
        else:
            end = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
            self._replace(worker, f"was killed: {worker.killed}" if worker.killed else f"ended unexpectedly with {end}")

    def _replace(self, worker: _Worker, end: str) -> None:
        pause = self._slots.vacate(worker.slot, monotonic() - worker.started)
        finding = f"worker {worker.slot} (process {worker.process.pid}) {end}"
        _log.error("%s; its replacement starts in %g seconds", finding, pause)
        if self._replacements:
            self._replacements.count(silent=bool(worker.killed))

    def _status(self) -> int:
        """One exit status for all workers."""
        if self._signals.count(signal.SIGINT) > 1 or HURRIED in self._statuses:
            return HURRIED
        if CONFIG in self._statuses:
            return CONFIG
        return 1 if any(self._statuses) else 0
