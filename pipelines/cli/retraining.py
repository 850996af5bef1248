"""`retrain`: a retraining now."""

from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.artifact.location import Location
from core.errors import NumeralError
from pipelines import preflight, voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.engine.observed import Kind, engine_of
from pipelines.order import Order, takes_order

if TYPE_CHECKING:
    from pipelines.retrain.retrained import Retrained


REJECTED = 3
"""The exit status of a retraining whose version the gate refuses."""


@reports_errors
@takes_order()
def retrain(
    *,
    kind: Annotated[
        Kind, typer.Option("--engine", help="Whether Prefect shows the run; plain: without Prefect, and sooner begun.")
    ] = Kind.PREFECT,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Train, evaluate and judge, but publish nothing; the next run takes it over."),
    ] = False,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Train a version, evaluate and publish it, and promote it unless the gate finds it worse than those before it.

    Nothing is done again if data, recipe and code are those of a published version. The exit status is 3 if the gate
    rejects the version: it is published for inspection, and the champion stays.
    """
    order = Order(**given)
    voice.prepare()
    try:
        preflight.check(order)  # the job does so too, but then Prefect has been started
    except NumeralError as error:
        _tell_of(order, error)
        raise
    with engine_of(kind, "pipelines.retrain.flow", order.parameters) as running:
        from pipelines.retrain import job  # while it is imported, Prefect's server starts

        result = job.retrain(order, running, dry_run=dry_run)
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        show(_summary(result))
    if result.rejected and result.outcome != "unchanged":
        raise typer.Exit(REJECTED)


def _tell_of(order: Order, error: NumeralError) -> None:
    """Record and announce a failure as the job does: whoever started it, such as cron, may not be looking."""
    from pipelines.notices.announcer import to_webhook
    from pipelines.notices.outcome import failure_of
    from pipelines.retrain.recorded import record_failure

    with suppress(NumeralError):  # the folder of the journal may be what is wrong
        record_failure(order, error)
    try:
        to_webhook(failure_of(order, error))
    except NumeralError as undelivered:
        if str(undelivered) != str(error):
            show(f"the failure could not be announced: {undelivered}")


def _summary(result: "Retrained") -> str:
    """What has come of it and what to do next, in a few lines."""
    stages = " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    lines = [f"\n{result.sentence}"]
    if result.rejected:
        lines.append(f"  reason  {result.rejected}")
    if result.report:
        lines.append(f"  report  {result.report}")
    at = f"--repository {quote(str(Location.parse(result.repository)))}"
    if result.version is None:
        following = "the same command without --dry-run publishes it, without training again"
    elif result.promoted:
        following = f"python -m service serve {at}"
    elif result.canary:
        following = f"python -m pipelines canary {at}"
    else:
        following = f"python -m pipelines models show {result.version} {at}"
    return "\n".join([*lines, f"  time    {stages}", f"  next    {following}"])
