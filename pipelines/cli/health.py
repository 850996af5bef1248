"""`health`: whether the pipelines work, for a container's health check and for people."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import data_folder, option
from pipelines.schedule.condition import Condition, judge
from pipelines.schedule.duration import parse_duration
from pipelines.schedule.heartbeat import Heartbeat
from pipelines.schedule.journal import Journal


@reports_errors
def health(
    data_dir: Annotated[str | None, option("data_dir")] = None,
    max_age: Annotated[
        str | None,
        typer.Option(help="How old the last run that ended well may be, e.g. 48h; by default, two missed runs."),
    ] = None,
    scheduler: Annotated[
        bool, typer.Option("--scheduler", help="Whether a scheduler works here, as its container's health check asks.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say whether retraining works: when it last did, who does it now, and when it does again.

    Reads two small files in the data folder, and needs neither Prefect nor a network. The exit status is 1 if the
    scheduler does not live, or no run has ended well for too long. Without a scheduler, only the runs are judged; with
    --scheduler, that there is none here is a trouble as well.
    """
    limit = parse_duration(max_age, "--max-age") if max_age else None
    folder = data_folder(data_dir)
    record, beat = Journal(folder).read(), Heartbeat.last(folder)
    found = judge(record, beat, datetime.now(UTC), limit, scheduled_here=scheduler)
    if as_json:
        print(json.dumps(found.facts, indent=2))
    else:
        _describe(found)
    if not found.healthy:
        raise typer.Exit(1)


def _describe(found: Condition) -> None:
    facts = found.facts
    show("healthy" if found.healthy else f"unhealthy: {'; '.join(found.troubles)}")
    if success := facts["last_success"]:
        show(f"  last success    {_moment(success['at'])}: {success['outcome']}, version {success['version']}")
        if success["rejected"]:
            show(f"  not promoted    {success['rejected']}")
    if promotion := facts["last_promotion"]:
        show(f"  last promotion  {_moment(promotion['at'])}: version {promotion['version']}")
    if failure := facts["last_failure"]:
        show(f"  last failure    {_moment(failure['at'])}: {failure['error']}")
    if facts["scheduler"]:
        show(f"  scheduler       {facts['scheduler']['when']}")
    if facts["next_run"]:
        show(f"  next run        {_moment(facts['next_run'])}")
    if lease := facts["lease"]:
        show(f"  running now     {lease['holder']}, since {_moment(lease['since'])}")


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
