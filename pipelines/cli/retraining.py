"""`retrain` and `schedule`: a retraining now, or at certain times."""

from shlex import quote
from typing import Annotated, Any

import typer

from pipelines import engine, preflight, voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.engine.observed import Kind, engine_of
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe


@reports_errors
@takes_order()
def retrain(
    *,
    kind: Annotated[
        Kind, typer.Option("--engine", help="Whether Prefect shows the run; plain: without Prefect, and sooner begun.")
    ] = Kind.PREFECT,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Train a version, evaluate and publish it, and promote it unless it is worse than the champion.

    Nothing is done again if data, recipe and code are those of a published version. The exit status is 0 even if the
    new version is rejected: it is published for inspection, and the champion stays.
    """
    order = Order(**given)
    # Mistakes in the recipe, and folders that cannot be written, are reported before anything starts.
    preflight.check(order, load_recipe(order.recipe, order.overrides))
    voice.prepare()
    with engine_of(kind, "pipelines.retrain.flow", order.parameters) as running:
        from pipelines.retrain import job  # while it is imported, Prefect's server starts

        result = job.retrain(order, running)
        running.conclusion = result.sentence
    if as_json:
        print(result.model_dump_json(indent=2))
        return
    stages = " · ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    show(
        f"\n{result.sentence}\n  report  {result.report}\n  time    {stages}\n"
        f"  next    python -m service serve --repository {quote(str(order.store.location))}"
    )


@reports_errors
@takes_order()
def schedule(
    *,
    cron: Annotated[str, typer.Option(help="When to retrain, e.g. '0 3 * * *' for every night at three, UTC.")],
    train_if_empty: Annotated[
        bool, typer.Option("--train-if-empty", help="Retrain once at the start if no version is published yet.")
    ] = False,
    **given: Any,
) -> None:
    """Retrain on a schedule until stopped, one run at a time; the schedule continues after a restart.

    Uses the Prefect server that Prefect's settings name (PREFECT_API_URL, a profile, a prefect.toml); if they name
    none, it starts a server of its own and stops it at the end.
    """
    order = Order(**given)
    preflight.check(order, load_recipe(order.recipe, order.overrides))
    voice.prepare()
    if sentence := engine.prepare(show_errors=True):
        voice.say(sentence)
    with engine.own_server():
        from pipelines import schedule as scheduling  # Prefect takes a second to import, and reads its settings then

        scheduling.run(cron, order, train_if_empty=train_if_empty)
