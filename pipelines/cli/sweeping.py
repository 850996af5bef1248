"""`sweep`: the search for better values of a recipe."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import ConfigError
from core.local_path import local_path
from pipelines import preflight, voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order
from pipelines.schedule.duration import parse_duration
from pipelines.sweep.choices import Objective, Pruner, Runner
from pipelines.workers.processors import usable_processors

if TYPE_CHECKING:
    from pipelines.sweep.swept import Swept
    from pipelines.workers import Workers


@reports_errors
@takes_order("recipe", "overrides", "repository", "data_dir", "mirrors")
def sweep(
    *,
    space: Annotated[Path, typer.Option(metavar="FILE.toml", help="What to try: a table for each key of the recipe.")],
    trials: Annotated[int, typer.Option(min=1, help="How many trials there are in all.")] = 30,
    objective: Annotated[Objective, typer.Option(help="What is judged, on the validation images.")] = "loss",
    pruner: Annotated[Pruner, typer.Option(help="What ends trials early that promise little.")] = "median",
    seed: Annotated[int, typer.Option(min=0, help="Decides which values are tried; another one tries others.")] = 0,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Begin no trial after this time, e.g. 2h or 90m.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many trials at a time (by default one a processor).")
    ] = None,
    runner: Annotated[
        Runner, typer.Option(help="local: processes of this machine; dask: the workers of a Dask cluster.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With dask: its scheduler, e.g. tcp://host:8786; by default one starts here."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="The report (by default in the sweep's folder).")
    ] = None,
    no_publish: Annotated[
        bool, typer.Option("--no-publish", help="Only search; otherwise the best becomes the challenger.")
    ] = False,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Try other values of a recipe, train the best again with other seeds, and publish the best mean as challenger.

    Trials are judged on the validation images alone. The same command goes on where it was stopped; with more --trials,
    it adds some. A report is written while it runs.
    """
    order = Order(**given)
    if address is not None and runner != "dask":
        raise ConfigError(f"--address {address}: found --runner {runner}, expected --runner dask with an address")
    limit = parse_duration(timeout, "--timeout") if timeout is not None else None
    report = local_path(output, "--output").absolute() if output else None
    from pipelines.sweep.space_file import read_space  # here and below: the other commands need none of it

    tried = read_space(space)
    preflight.check(order)
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ConfigError("sweep needs the package optuna: pip install 'numeral[sweep]'") from error
    from pipelines.sweep.plan import Plan
    from pipelines.sweep.sweep_job import sweep as conduct

    voice.prepare()
    plan = Plan(
        space=tried,
        trials=trials,
        objective=objective,
        pruner=pruner,
        seed=seed,
        timeout=limit,
        output=report,
        publish=not no_publish,
    )
    swept = conduct(order, plan, _crew(runner, address, workers or usable_processors()))
    if as_json:
        print(swept.model_dump_json(indent=2))
    else:
        show(_summary(swept))


def _crew(runner: Runner, address: str | None, count: int) -> "AbstractContextManager[Workers]":
    if runner == "dask":
        from pipelines.workers.on_dask import OnDask

        return OnDask(address, count)
    from pipelines.workers import Processes

    return Processes(count)


def _summary(swept: "Swept") -> str:
    """What has come of it and what to do next, in a few lines."""
    lines = [f"\n{swept.sentence}"]
    if swept.published:
        version = swept.published
        gate = "would promote it" if version.promote else "would reject it"
        lines.append(f"  version {version.version}, the {version.alias}; the gate {gate}: {version.verdict}")
    minutes, less = swept.cpu_seconds / 60, swept.cpu_seconds_saved / 60
    lines.append(f"  time    {minutes:.1f} CPU minutes; about {less:.1f} were saved by ending trials early")
    lines.append(f"  report  {swept.report}")
    if swept.command:
        lines.append(f"  next    {swept.command}")
    return "\n".join(lines)
