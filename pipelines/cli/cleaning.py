"""`clean`: remove what killed and failed runs have left in the data folder."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from pipelines import leftovers
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import data_folder, option
from pipelines.settings import Settings


@reports_errors
def clean(
    data_dir: Annotated[str | None, option("data_dir")] = None,
    older_than: Annotated[
        int | None,
        typer.Option(metavar="DAYS", min=0, help="Remove what is older (NUMERAL_KEEP_DAYS, else 14)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove unfinished runs, incomplete downloads and damaged files; nothing that a run works in at this moment.

    Every retraining does so at its start.
    """
    days = Settings().keep_days if older_than is None else older_than
    removed = leftovers.reclaim(data_folder(data_dir), timedelta(days=days), show)
    if as_json:
        rows = [{"path": str(one.path), "kind": one.kind, "bytes": one.bytes} for one in removed]
        print(json.dumps(rows, indent=2))
    elif not removed:
        show(f"nothing is older than {days} days")
