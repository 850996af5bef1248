"""Retraining on a schedule, served by Prefect: one run at a time, and a schedule that continues after a restart."""

import asyncio
import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from core.errors import ConfigError, NumeralError
from pipelines import voice
from pipelines.order import Order
from pipelines.retrain.flow import retrain
from pipelines.voice import say

DEPLOYMENT = "scheduled"
"""Prefect's pages show the schedule as `retrain/scheduled`."""


class _Runner(Runner):
    """Prefect's runner, but SIGTERM, with which containers are stopped, ends it and its running flow as Ctrl-C does."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 — Prefect's signature
        """Become an interrupt, which asyncio turns into an orderly end."""
        signal.raise_signal(signal.SIGINT)


def run(cron: str, order: Order, *, train_if_empty: bool) -> None:
    """Serve the schedule until stopped.

    Args:
        cron: When, in UTC.
        order: What to retrain each time.
        train_if_empty: Whether to retrain at once if no version is published yet.

    Raises:
        ConfigError: `cron` is not a cron expression, or another scheduler uses the same data folder.
    """
    voice.prepare()
    # One slot here, and one scheduler for a data folder, so there are never two runs at once. A run that is due
    # meanwhile waits, and will find nothing changed. Prefect's own concurrency limit for a deployment is not used: a
    # run that was killed would hold its slot for minutes, and after a restart of the server for ever.
    runner = _Runner(name=DEPLOYMENT, limit=1, pause_on_shutdown=False)
    with _only_scheduler(order.data_dir):
        runner.add_deployment(_deployment(cron, order))
        if train_if_empty and not order.store.versions():
            say("no version is published yet: training the first one now")
            try:
                retrain(**order.parameters)
            except NumeralError as error:
                say(f"the first training failed: {error}; the schedule tries again")
        say(f"schedule: retrain {order.recipe} at '{cron}' (UTC); stop with Ctrl-C")
        # A process that a shell started in the background ignores SIGINT, and with it SIGTERM, which becomes a SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            asyncio.run(runner.start())
        except KeyboardInterrupt:
            say("schedule: stopped; it continues when it is started again")


def _deployment(cron: str, order: Order) -> RunnerDeployment:
    try:
        deployment = retrain.to_deployment(
            name=DEPLOYMENT, cron=cron, parameters=order.parameters, entrypoint_type=EntrypointType.MODULE_PATH
        )
    except ValueError as error:
        raise ConfigError(f"--cron '{cron}': {error}; expected five fields, e.g. '0 3 * * *'") from error
    return cast("RunnerDeployment", deployment)


@contextmanager
def _only_scheduler(data_dir: Path) -> Iterator[None]:
    """Hold a file lock, which the system releases when this process ends, even if it is killed."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "schedule.lock"
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"another scheduler holds {path}; stop it, or choose another --data-dir") from error
        yield
