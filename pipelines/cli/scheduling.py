"""`schedule`: retraining at certain times, or for a reason."""

import os
import sys
import time
from typing import Annotated, Any, NoReturn

import typer

from core.errors import ServerLostError
from pipelines import engine, preflight, voice
from pipelines.cli.console import reports_errors, show
from pipelines.order import Order, takes_order
from pipelines.schedule.duration import parse_duration
from pipelines.schedule.metrics import exposed
from pipelines.schedule.sole import sole_scheduler
from pipelines.schedule.timetable import Timetable
from pipelines.schedule.triggers import Reasons, Triggers
from pipelines.settings import Settings

_STEADY_SECONDS = 60.0
"""A scheduler that worked for less long is not started again: it would fail again."""


@reports_errors
@takes_order()
def schedule(
    *,
    cron: Annotated[
        str | None, typer.Option(help="When to retrain, e.g. '0 3 * * *' for every night at three, or @daily.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="The time zone of --cron, e.g. Europe/Berlin.")] = "UTC",
    interval: Annotated[
        str | None, typer.Option(help="Instead of --cron: the time between two runs, e.g. 6h or 90m.")
    ] = None,
    when_feedback: Annotated[
        int | None,
        typer.Option(min=1, metavar="COUNT", help="Retrain once so many new pieces of feedback have come."),
    ] = None,
    when_drift: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="INDEX", help="Retrain once new feedback drifts by more than this, e.g. 0.25."),
    ] = None,
    pause: Annotated[
        str, typer.Option(help="The shortest time from one run to the next that feedback or drift starts.")
    ] = "1h",
    train_if_empty: Annotated[
        bool, typer.Option("--train-if-empty", help="Retrain once at the start if no version is published yet.")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Answer Prometheus here (NUMERAL_METRICS_PORT, else nowhere)."),
    ] = None,
    metrics_host: Annotated[
        str | None,
        typer.Option(help="The address of that port (NUMERAL_METRICS_HOST, else 127.0.0.1)."),
    ] = None,
    **given: Any,
) -> None:
    """Retrain on a schedule until stopped, one run at a time; the schedule continues after a restart.

    Give --cron or --interval, or reasons such as --when-feedback 200, or both. Uses the Prefect server that Prefect's
    settings name (PREFECT_API_URL, a profile, a prefect.toml); if they name none, it starts a server of its own, starts
    it again if it ends, and stops it at the end.
    """
    order = Order(**given)
    reasons = Reasons(when_feedback, when_drift, parse_duration(pause, "--pause"))
    timetable = Timetable.parse(cron, interval, timezone)
    if not timetable and not reasons:
        raise typer.BadParameter("nothing says when: give --cron, --interval, --when-feedback or --when-drift")
    triggers = Triggers(order, reasons)
    settings = Settings()
    metrics = exposed(order.data_dir, metrics_port or settings.metrics_port, metrics_host or settings.metrics_host)
    preflight.check_lasting(order)  # a missing share, or too little room, is for each run to report, and may heal
    voice.prepare()
    if sentence := engine.prepare(show_errors=True):
        voice.say(sentence)
    owned, started = False, time.monotonic()
    try:
        with (
            sole_scheduler(order.data_dir, voice.say),
            metrics,
            engine.own_server() as owned,
        ):
            from pipelines.schedule import serving  # Prefect reads its settings when it is imported

            serving.Scheduler(timetable, triggers, order).serve(train_if_empty=train_if_empty)
    except ServerLostError as error:
        if not owned or time.monotonic() - started < _STEADY_SECONDS:
            raise
        show(f"schedule: {error}; starting again, with a new server")
        _start_again()


def _start_again() -> NoReturn:
    """Become a new process of the same command: Prefect's settings, once read, name the server that was lost."""
    os.environ.pop("PREFECT_API_URL", None)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 — no shell is wanted
