"""Retraining on a schedule, served by Prefect: never two runs at once, and a restart keeps the schedule."""

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

from core.artifact.repository import Repository
from core.errors import ConfigError, NumeralError
from pipelines import voice
from pipelines.retrain.flow import retrain
from pipelines.voice import say

DEPLOYMENT = "scheduled"
"""Prefect's pages show the schedule as `retrain/scheduled`."""


class _Runner(Runner):
    """Prefect's runner, save that SIGTERM, which stops containers, ends it as Ctrl-C does: with its running flow."""

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 — Prefect's signature
        """Become an interrupt, which asyncio turns into an orderly end."""
        signal.raise_signal(signal.SIGINT)


def run(cron: str, parameters: dict[str, Any], *, train_if_empty: bool) -> None:
    """Serve the schedule until stopped.

    Args:
        cron: When, in UTC.
        parameters: The flow's, each JSON.
        train_if_empty: Whether to retrain at once where there is no version yet.

    Raises:
        ConfigError: `cron` is no cron expression, or another scheduler works with the same data folder.
    """
    voice.prepare()
    # One slot here, and one scheduler a data folder: so never two runs at once. What is due meanwhile waits; it will
    # find nothing changed. Prefect's own limit for a deployment is not used: a run that was killed would hold its
    # slot for minutes, and across a restart of the server for good.
    runner = _Runner(name=DEPLOYMENT, limit=1, pause_on_shutdown=False)
    with _only_scheduler(Path(parameters["data_dir"])):
        runner.add_deployment(_deployment(cron, parameters))
        if train_if_empty and not Repository(parameters["repository"], writable=True).versions():
            say("no version is published yet: training the first one now")
            try:
                retrain(**parameters)
            except NumeralError as error:
                say(f"the first training failed: {error}; the schedule tries again")
        say(f"schedule: retrain {parameters['recipe']} at '{cron}' (UTC); stop with Ctrl-C")
        # Ignored where a shell started this in the background, and so would be SIGTERM, which becomes one.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            asyncio.run(runner.start())
        except KeyboardInterrupt:
            say("schedule: stopped; start it again and it goes on")


def _deployment(cron: str, parameters: dict[str, Any]) -> RunnerDeployment:
    try:
        deployment = retrain.to_deployment(
            name=DEPLOYMENT, cron=cron, parameters=parameters, entrypoint_type=EntrypointType.MODULE_PATH
        )
    except ValueError as error:
        raise ConfigError(f"--cron '{cron}': {error}; expected five fields, e.g. '0 3 * * *'") from error
    return cast("RunnerDeployment", deployment)


@contextmanager
def _only_scheduler(data_dir: Path) -> Iterator[None]:
    """Hold a lock that the system releases when this process ends, however it ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "schedule.lock"
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"another scheduler holds {path}; stop it, or name another --data-dir") from error
        yield
