"""`python -m pipelines`: retrain by hand or on a schedule, and look after the published versions.

Messages for people go to standard error; `--json` prints one JSON document on standard output and nothing else there.
Commands import Prefect only where they need it, so that the others and `--help` answer at once.
"""

import sys

import typer

from core.terminal import accept_any_text
from pipelines.cli import cleaning, health, models, rates, retraining, reviewing, scheduling

app = typer.Typer(
    help="Download MNIST, train networks on it, publish them as versions, and manage the versions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(retraining.retrain)
app.command()(scheduling.schedule)
app.command()(health.health)
app.command()(rates.find_rate)
app.command()(cleaning.clean)
app.add_typer(models.app, name="models")
app.add_typer(reviewing.app, name="feedback")


def main() -> None:
    """Run the command that the command line names."""
    accept_any_text()
    app(prog_name="numeral-pipelines" if "numeral-pipelines" in sys.argv[0] else "python -m pipelines")
