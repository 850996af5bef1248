"""What every command shares: options, messages on standard error, and one JSON document on standard output."""

import errno
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import typer
from pydantic_settings import SettingsError
from rich.console import Console

from core.errors import NumeralError

P = ParamSpec("P")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

_NEXT_STEPS = {
    errno.ENOSPC: "free some space, then run the same command again to go on",
    errno.EDQUOT: "free some space of your quota, then run the same command again to go on",
    errno.EROFS: "choose a folder that can be written to with --repository and --data-dir",
    errno.EACCES: "choose a folder that you may use with --repository and --data-dir",
}

_MESSAGES = Console(stderr=True, highlight=False, soft_wrap=True)


def show(message: str) -> None:
    """Print a message for people, on standard error."""
    _MESSAGES.print(message, markup=False)


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an error that is to be expected into one sentence and exit status 1.

    These are the ones that the project raises on purpose, settings that cannot be read, and what the system refuses: a
    full disk, a folder that may not be written. Any other is a mistake in the code, and keeps its traceback.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except NumeralError as error:
            sentence = str(error)
        except SettingsError as error:
            sentence = f"a NUMERAL_… variable cannot be read: {error.__cause__ or error}; expected JSON ({error})"
        except OSError as error:
            sentence = _in_words(error)
        else:
            return
        _MESSAGES.print(f"error: {sentence}", style="red", markup=False)
        raise typer.Exit(1)

    return wrapped


def _in_words(error: OSError) -> str:
    """What the system refused, and the next step."""
    where = f"{error.filename}: " if error.filename else ""
    why = error.strerror or str(error) or type(error).__name__
    step = _NEXT_STEPS.get(error.errno or 0)
    return f"{where}{why}" + (f"; {step}" if step else "")
