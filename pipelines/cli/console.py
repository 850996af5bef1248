"""What every command shares: options, messages on standard error, and one JSON document on standard output."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer
from rich.console import Console

from core.errors import NumeralError

P = ParamSpec("P")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

_MESSAGES = Console(stderr=True, highlight=False, soft_wrap=True)


def show(message: str) -> None:
    """Print a message for people, on standard error."""
    _MESSAGES.print(message, markup=False)


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an error that the project raises on purpose into one sentence and exit status 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except NumeralError as error:
            _MESSAGES.print(f"error: {error}", style="red", markup=False)
            raise typer.Exit(1) from error

    return wrapped
