"""`python -m pipelines`: retrain by hand or on a schedule, and look after the published versions.

Messages for people go to standard error; `--json` prints one JSON document on standard output and nothing else there.
Commands import Prefect only where they need it, so that the others and `--help` answer at once.
"""

import sys
from typing import Annotated

import typer

from core.command_line import software_version
from core.terminal import accept_any_text
from pipelines.cli import (
    canary,
    cleaning,
    health,
    models,
    rates,
    reproducing,
    retraining,
    reviewing,
    scheduling,
    scoring,
    studying,
    sweeping,
)

app = typer.Typer(
    help="Download MNIST, train networks on it, publish them as versions, and manage the versions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"numeral {software_version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit."),
    ] = False,
) -> None:
    pass  # the options that stand before a command; those of the commands are theirs


app.command()(retraining.retrain)
app.command()(scheduling.schedule)
app.command()(health.health)
app.command()(canary.canary)
app.command()(rates.find_rate)
app.command()(reproducing.reproduce)
app.command()(scoring.score)
app.command()(sweeping.sweep)
app.command()(cleaning.clean)
app.command()(studying.study)
app.add_typer(models.app, name="models")
app.add_typer(reviewing.app, name="feedback")


def main() -> None:
    """Run the command that the command line names."""
    accept_any_text()
    app(prog_name="numeral-pipelines" if "numeral-pipelines" in sys.argv[0] else "python -m pipelines")
