"""`score`: read many pictures with one version, into a table."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.artifact.snapshot import CHAMPION
from core.errors import ConfigError
from core.local_path import local_path
from pipelines import voice
from pipelines.cli.console import JsonOption, reports_errors, show
from pipelines.order import Order, takes_order


@reports_errors
@takes_order("repository", "data_dir")
def score(
    *,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT…",
            help="Picture files, folders, quoted patterns, IDX files of images (.gz too), or Parquet tables.",
            show_default=False,
        ),
    ],
    output: Annotated[str, typer.Option(metavar="FILE", help="The table: a .parquet, .csv or .jsonl file.")],
    version: Annotated[int | None, typer.Option(help="The version that reads.", min=1, show_default="champion")] = None,
    alias: Annotated[str | None, typer.Option(help="The alias whose version reads, in place of --version.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Processes that read.", min=1, max=4096, show_default="as many as pay, up to the usable processors"
        ),
    ] = None,
    runner: Annotated[
        Literal["local", "dask"], typer.Option(help="Processes of this machine, or workers of a Dask cluster.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The cluster's scheduler, such as tcp://host:8786; without it, one of here."),
    ] = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Read millions of images or pictures with one version: a row for each, in their order, in one table.

    A picture that cannot be read costs its row alone, which says why. Stopped or killed at any time, the same command
    goes on with what is missing, to the same table.
    """
    if version is not None and alias is not None:
        raise ConfigError(f"--version {version} and --alias {alias}: choose one of them")
    if not output.strip():
        raise ConfigError(f"--output: found {output!r}, expected a .parquet, .csv or .jsonl file")
    if address is not None and runner != "dask":
        raise ConfigError(f"--address {address}: a Dask cluster is only used with --runner dask; add that")
    where = Order(**given)
    voice.prepare()
    from pipelines.score.score_job import ScoreOrder
    from pipelines.score.score_job import score as score_all

    scored = score_all(
        ScoreOrder(
            inputs=tuple(inputs),
            output=local_path(Path(output), "--output"),
            repository=where.repository,
            data_dir=where.data_dir,
            version=version,
            alias=alias or CHAMPION,
            workers=workers,
            runner=runner,
            address=address,
        )
    )
    if as_json:
        print(scored.model_dump_json(indent=2))
    else:
        show(scored.sentence)
