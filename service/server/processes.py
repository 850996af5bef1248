"""Several processes on one port: Python computes on one core for each.

A supervisor reserves the port and forks the workers; it answers no call itself. A worker that dies is replaced. What
the supervisor has imported is shared by all workers, in memory and in the time that a start takes; so it must hold
nothing that does not survive a fork: no threads, no event loop, no gRPC object, no connection to a repository.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import uvloop

from core.errors import ConfigError, NumeralError
from service.server import assembly as server
from service.server.port import reserved
from service.settings import AUTO, RUN_DIR, Settings
from service.telemetry import exposition

__all__ = ["serve"]

MOST_BY_ITSELF = 4
"""Workers, unless the settings ask for more: each takes some 80 MB and looks at the repository for itself."""

KILL_AFTER = 5.0
"""Seconds beyond those of the drain after which a worker that does not end is killed."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds before a worker is replaced: doubled each time, until one has lived for `LONG_LIFE`."""

LONG_LIFE = 30.0
"""Seconds after which a worker counts as sound."""

HURRIED, CONFIG = 130, 2
"""Exit statuses: after a second SIGINT, and where a setting is impossible."""

_log = logging.getLogger(__name__)
_fork = get_context("fork")


def serve(settings: Settings, announce: Callable[[str], None]) -> int:
    """Serve with as many processes as the settings say, until SIGTERM or SIGINT.

    Args:
        settings: As `service.settings.read` gives them.
        announce: Called once with `listening on HOST:PORT`, when every process listens.

    Returns:
        The exit status: 0 after a clean drain, 1 if calls were cut off, 130 after a second SIGINT.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    count = how_many(settings.workers)
    with _run_folder():
        if count == 1:
            return _run(server.serve(settings, announce))
        if settings.metrics_port is not None:
            os.environ.update(exposition.share(Path(os.environ[RUN_DIR])))
        with reserved(settings.host, settings.port) as port:
            return Supervisor(settings.model_copy(update={"port": port}), announce, count).run()


def how_many(workers: str) -> int:
    """The number of workers: as the settings say, or one for each core that this process may use."""
    if workers != AUTO:
        return int(workers)
    if sys.platform != "linux":
        return 1  # elsewhere, a port that is shared is not shared out evenly, and forking is not safe
    return min(MOST_BY_ITSELF, len(os.sched_getaffinity(0)), _quota())


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores that a container may use; many where nothing says so."""
    try:
        quota, period = file.read_text().split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):  # no such file, or "max"
        return MOST_BY_ITSELF


def _run(serving: Coroutine[Any, Any, int]) -> int:
    """Run it on uvloop: under load, a call takes up to a tenth less of a core there than on asyncio's own loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serving)


@contextmanager
def _run_folder() -> Iterator[None]:
    """Name a folder in `RUN_DIR`; one that is named already is taken."""
    if os.environ.get(RUN_DIR):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="numeral-", ignore_cleanup_errors=True) as folder:
        os.environ[RUN_DIR] = folder
        try:
            yield
        finally:
            del os.environ[RUN_DIR]


@dataclass
class _Worker:
    """One worker process.

    Attributes:
        number: Of its place, for people.
        process: It.
        news: Can be read once it listens.
        started: By `time.monotonic`.
        listens: Whether it has said so.
    """

    number: int
    process: ForkProcess
    news: connection.Connection
    started: float
    listens: bool = False


class Supervisor:
    """Keeps a number of workers alive until it is asked to stop."""

    def __init__(self, settings: Settings, announce: Callable[[str], None], count: int) -> None:
        """Start nothing yet.

        Args:
            settings: With the port that is reserved.
            announce: Called once with `listening on HOST:PORT`, when every worker listens.
            count: Of workers.
        """
        self._settings = settings
        self._announce = announce
        self._count = count
        self._workers: list[_Worker] = []
        self._due = dict.fromkeys(range(1, count + 1), 0.0)  # empty place → when its next worker starts
        self._pauses: dict[int, float] = {}  # place → seconds before the worker after the next one
        self._announced = False
        self._signals: list[int] = []  # those that have come
        self._forwarded = 0  # how many of them were handed on
        self._kill_at = float("inf")
        self._statuses: set[int] = set()  # of workers that ended when they were to
        self._lifeline, self._end = os.pipe()  # the end that nobody writes to closes when this process dies
        self._woken, self._wake = socket.socketpair()

    def run(self) -> int:
        """Start the workers, and wait for the end.

        Returns:
            The exit status.
        """
        for end in (self._woken, self._wake):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        while True:
            self._hand_on()
            if not self._leaving:
                self._fill()
            elif not self._workers:
                return self._status()
            self._wait()

    @property
    def _leaving(self) -> bool:
        return bool(self._forwarded or self._statuses)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _hand_on(self) -> None:
        """Tell the workers of each signal that has come."""
        for number in self._signals[self._forwarded :]:
            self._forwarded += 1
            self._stop(number)

    def _stop(self, number: int) -> None:
        patience = self._settings.drain_wait_seconds + self._settings.drain_seconds + KILL_AFTER
        self._kill_at = min(self._kill_at, monotonic() + patience)
        for pid in filter(None, [worker.process.pid for worker in self._workers]):
            os.kill(pid, number)

    def _fill(self) -> None:
        """Start a worker in each place that is empty and due."""
        for number in [number for number, due in self._due.items() if due <= monotonic()]:
            del self._due[number]
            self._workers.append(self._start(number))

    def _start(self, number: int) -> _Worker:
        news, teller = _fork.Pipe(duplex=False)
        process = _fork.Process(target=self._work, args=(teller,))
        # A signal that comes before the worker is ready for it waits until it is.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
        process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        teller.close()
        return _Worker(number, process, news, monotonic())

    def _work(self, teller: connection.Connection) -> None:
        """What a worker does, from the fork to its end."""
        os.setpgid(0, 0)  # Ctrl-C in a terminal goes to the supervisor alone, which hands it on
        signal.set_wakeup_fd(-1)
        os.close(self._end)
        share = server.Share(self._count, self._lifeline)
        try:
            status = _run(server.serve(self._settings, lambda _: teller.send_bytes(b"listens"), share=share))
        except NumeralError as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2 if isinstance(error, ConfigError) else 1
        except BaseException:  # noqa: BLE001 — from here it could only come to the supervisor's own code
            _log.exception("a worker met an unforeseen error")
            status = 1
        logging.shutdown()
        os._exit(status)  # waits for no thread, and leaves what belongs to the supervisor as it is

    def _wait(self) -> None:
        """Sleep until something happens, and take note of it."""
        news = {worker.news: worker for worker in self._workers if not worker.listens}
        ends = {worker.process.sentinel: worker for worker in self._workers}
        happened = connection.wait([self._woken, *news, *ends], self._longest_sleep())
        if self._woken in happened:
            self._woken.recv(4096)
        for worker in (news[end] for end in news if end in happened):
            self._heard_from(worker)
        for worker in (ends[end] for end in ends if end in happened):
            self._ended(worker)
        if monotonic() > self._kill_at:
            for worker in self._workers:
                worker.process.kill()

    def _longest_sleep(self) -> float | None:
        wakes = [self._kill_at] if self._leaving else list(self._due.values())
        return max(0.0, min(wakes) - monotonic()) + 0.01 if wakes else None

    def _heard_from(self, worker: _Worker) -> None:
        try:
            worker.news.recv_bytes()
        except EOFError:
            return  # it has died: its end tells the rest
        worker.listens = True
        if not self._announced and sum(worker.listens for worker in self._workers) == self._count:
            self._announced = True
            self._announce(f"listening on {self._settings.address}")

    def _ended(self, worker: _Worker) -> None:
        """A worker has ended: as it was asked to, or by itself; then another one takes its place."""
        self._workers.remove(worker)
        worker.process.join()
        worker.news.close()
        code = worker.process.exitcode or 0
        if self._settings.metrics_port is not None and worker.process.pid:
            exposition.forget(Path(os.environ[RUN_DIR]), worker.process.pid)
        if self._leaving:
            self._statuses.add(code)
        elif code == CONFIG and not self._announced:
            self._statuses.add(code)  # it has said what is wrong, and the next one could say no more
            self._stop(signal.SIGTERM)
        else:
            self._replace(worker, f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}")

    def _replace(self, worker: _Worker, end: str) -> None:
        sound = monotonic() - worker.started > LONG_LIFE
        pause = FIRST_PAUSE if sound else self._pauses.get(worker.number, FIRST_PAUSE)
        self._pauses[worker.number] = min(LONGEST_PAUSE, 2 * pause)
        self._due[worker.number] = monotonic() + pause
        finding = f"worker {worker.number} (process {worker.process.pid}) ended by itself with {end}"
        _log.error("%s; another one starts in %g seconds", finding, pause)

    def _status(self) -> int:
        """One exit status for all."""
        if self._signals.count(signal.SIGINT) > 1 or HURRIED in self._statuses:
            return HURRIED
        if CONFIG in self._statuses:
            return CONFIG
        return 1 if any(self._statuses) else 0
