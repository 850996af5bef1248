"""`canary`: looks at the version that answers a share of the calls, and makes it the champion or stops it."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.canary.looked import Look

STOPPED = 3
"""The exit status if the canary was stopped: as of a retraining whose version the gate refuses."""


@reports_errors
@takes_order("repository", "canary_services", "recipe", "overrides", "data_dir", "mirrors", "handwriting", "infra_gate")
def canary(
    *,
    watch: Annotated[
        bool, typer.Option("--watch/--once", help="Look again and again until there is no canary; or only once.")
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(min=0.1, max=86_400, help="Seconds between two looks (NUMERAL_TRIGGER_SECONDS, else 60)."),
    ] = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Ask the services how the canary does beside the champion; make it the champion, or stop it, if that is decided.

    A scheduler does so by itself. The rules are those of the recipe, promotion.canary. The exit status is 3 if the
    canary was stopped, and 1 if no service could be asked.
    """
    from pipelines.canary.attendant import Attendant  # here: most commands need no HTTP client
    from pipelines.canary.looking import Looker

    order = Order(**given)
    voice.prepare()
    looker = Looker(order, voice.say)
    pause = Settings().trigger_seconds if every is None else every
    found = looker.look()
    attendant = Attendant(looker)
    while watch and not found.ended:
        time.sleep(pause)
        found = attendant.look() or found
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        _describe(found)
    if found.outcome == "stopped":
        raise typer.Exit(STOPPED)
    if found.deaf:
        raise typer.Exit(1)


def _describe(found: "Look") -> None:
    show(f"{found.outcome}: {found.words}")
    if found.version is not None and found.services:
        show(f"  pictures  {found.pictures:,} by version {found.version}, {found.champion_pictures:,} by the champion")
    for mishap in found.mishaps if found.pictures else ():
        show(f"  {mishap.verdict:9} {mishap.words}")
    for service in found.services:
        show(f"  service   {service.trouble or f'{service.address} answers'}")
