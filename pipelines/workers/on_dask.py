"""Workers of a Dask cluster: one that runs already, or one of this machine that ends with the block.

Only `distributed` knows of parts here, never a task runner of Prefect: that one would take a worker's death for the end
of the whole run. The scheduler of the cluster gives the part of a worker that died to another one.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from core.errors import ConfigError, WorkerLostError
from pipelines.voice import say
from pipelines.workers.pool import alone, lost

__all__ = ["OnDask", "SchedulerLostError"]

U = TypeVar("U")
R = TypeVar("R")

_CONNECTS_WITHIN = "20s"
_LOOKS_EVERY = 10.0
"""Seconds between two looks whether the cluster has any worker left."""


class SchedulerLostError(WorkerLostError):
    """The scheduler of a Dask cluster no longer answers, and so none of its workers can be reached."""


class OnDask:
    """The workers of a Dask cluster. Each of their threads does one part at a time."""

    def __init__(self, address: str | None, count: int) -> None:
        """Connect to nothing yet.

        Args:
            address: Of the cluster's scheduler, such as tcp://host:8786; None starts a cluster on this machine.
            count: How many workers that one has.
        """
        self._address, self._started = address, count
        self._client: Any = None  # of distributed, which gives its methods no types
        self._running = ExitStack()

    def __enter__(self) -> Self:
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise ConfigError("--runner dask needs the package distributed: pip install 'numeral[dask]'") from error
        with ExitStack() as running:  # what has started is closed again if the rest does not, or a stop arrives
            running.enter_context(_client_silent())
            try:
                cluster = None
                if self._address is None:
                    cluster = LocalCluster(
                        n_workers=self._started,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        silence_logs="ERROR",
                    )
                    running.callback(cluster.close)
                self._client = Client(cluster or self._address, timeout=_CONNECTS_WITHIN)
                running.callback(self._client.close)
            except (OSError, ValueError, RuntimeError) as error:
                raise self._unreachable(error) from error
            self._running = running.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def count(self) -> int:
        """How many parts can be done at once now.

        Raises:
            SchedulerLostError: The scheduler no longer answers.
        """
        with self._answering():
            return sum(map(int, self._client.nthreads().values()))

    def run(self, function: Callable[[U], R], units: Iterator[U]) -> Iterator[tuple[U, R]]:
        """See `Workers.run`."""
        from distributed import wait
        from distributed.scheduler import KilledWorker

        busy: dict[Any, U] = {}
        warned = False
        while True:
            while len(busy) < max(self.count, 1) and (unit := next(units, None)) is not None:
                with self._answering():
                    busy[self._client.submit(alone, function, unit, pure=False)] = unit
            if not busy:
                return
            done: set[Any] = set()
            with self._answering(), suppress(TimeoutError):
                done = wait(list(busy), timeout=_LOOKS_EVERY, return_when="FIRST_COMPLETED").done
            if not done and not warned and not self.count:
                say("the Dask cluster has no worker; waiting for one")
                warned = True
            for future in done:
                unit = busy.pop(future)
                try:
                    with self._answering(future):
                        result = future.result()
                except KilledWorker as error:
                    raise lost(unit) from error
                yield unit, result

    @contextmanager
    def _answering(self, future: Any = None) -> Iterator[None]:
        """What is asked of the scheduler in the block: if it is gone, say so, and not in the words of the library.

        Args:
            future: A part whose result is asked for, whose own error is raised as it is.
        """
        from distributed.client import ClosedClientError

        try:
            yield
        except (CancelledError, OSError, ClosedClientError) as error:
            if future is not None and future.status == "error":
                raise
            place = f"at {self._address}" if self._address else "that was started here"
            step = "start it, then run" if self._address else "run"
            raise SchedulerLostError(
                f"the Dask scheduler {place} is gone; {step} the same command again to go on"
            ) from error

    def _unreachable(self, error: Exception) -> ConfigError:
        if self._address is None:
            return ConfigError(
                f"no Dask cluster of {self._started} workers can be started on this machine: {error}; try fewer "
                "--workers, or name a scheduler with --address"
            )
        return ConfigError(
            f"no Dask scheduler answers at {self._address}: {error}; start one with `dask scheduler`, or leave out "
            "--address"
        )


@contextmanager
def _client_silent() -> Iterator[None]:
    """Without the log of the library's client: its tracebacks are of errors that are raised here, in a sentence."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
