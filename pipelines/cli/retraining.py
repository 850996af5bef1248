"""`retrain`: a retraining now."""

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.artifact.location import Location
from pipelines import preflight, voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.engine.observed import Kind, engine_of
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe

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
    # Mistakes in the recipe, and folders that cannot be written, are reported before anything starts.
    preflight.check(order, load_recipe(order.recipe, order.overrides))
    voice.prepare()
    with engine_of(kind, "pipelines.retrain.flow", order.parameters) as running:
        from pipelines.retrain import job  # while it is imported, Prefect's server starts

        result = job.retrain(order, running, dry_run=dry_run)
        running.conclusion = result.sentence
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        show(_summary(result))
    if result.rejected and result.outcome != "unchanged":
        raise typer.Exit(REJECTED)


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
    else:
        following = f"python -m pipelines models show {result.version} {at}"
    return "\n".join([*lines, f"  time    {stages}", f"  next    {following}"])
