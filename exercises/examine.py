"""From a learner's file to a verdict. Whatever the file does becomes a sentence with a line of it."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from exercises import learners_file
from exercises.afterwards import AFTERWARDS
from exercises.checks.every import CHECKS
from exercises.time_limit import OutOfTimeError, limited
from exercises.verdict import PASSED, UNFILLED, WRONG, Verdict, WrongError

__all__ = ["examine"]

PRINTED = 2000
"""Characters of what the file prints that are kept."""

UNFIT = ("mismatch in its core dimension", "could not be broadcast", "shape-mismatch", "not aligned")
"""How NumPy says that shapes do not fit each other."""


def examine(exercise: str, file: Path, seconds: float, *, afterwards: bool = True) -> Verdict:
    """Execute a file and check it, in this process.

    Args:
        exercise: Which one it is.
        file: The learner's file.
        seconds: How long it may run.
        afterwards: Whether a success is followed by what the exercise has to show, which takes longer.
    """
    printed = io.StringIO()
    file = file.absolute()
    with redirect_stdout(printed), redirect_stderr(printed), _quiet():
        verdict = _verdict(exercise, file, seconds, afterwards=afterwards)
    said = printed.getvalue()
    if len(said) > PRINTED:
        said = said[:PRINTED] + "…\n"
    return replace(verdict, printed=said)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings of overflows and the like: what comes of them is looked at."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _verdict(exercise: str, file: Path, seconds: float, *, afterwards: bool) -> Verdict:
    try:
        with limited(seconds):
            names = learners_file.load(file)
            for check in CHECKS[exercise]:
                check(names)
        note = AFTERWARDS[exercise](file) if afterwards and exercise in AFTERWARDS else None
        return Verdict(exercise, str(file), PASSED, note=note)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 — whatever a learner's file raises, SystemExit too
        return _judged(exercise, file, seconds, error)


def _judged(exercise: str, file: Path, seconds: float, error: BaseException) -> Verdict:
    """What was raised, as a verdict.

    Raises:
        BaseException: The error, if it does not come out of the learner's file.
    """
    if isinstance(error, WrongError):
        return _found_wrong(exercise, file, error)
    line = learners_file.last_line(error.__traceback__, file)
    if isinstance(error, NotImplementedError) and line:
        return _at(exercise, file, UNFILLED, [_unfilled(file, line)], line)
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return _at(exercise, file, WRONG, [f"This is not Python yet: {error.msg}."], error.lineno)
    if isinstance(error, UnicodeDecodeError) and line is None:
        return Verdict(exercise, str(file), WRONG, ["The file is not text in UTF-8: was it saved in another encoding?"])
    if isinstance(error, FileNotFoundError) and error.filename == str(file):
        return Verdict(exercise, str(file), WRONG, [f"{file.name} is not there: `reset` brings the original back."])
    if isinstance(error, OutOfTimeError):
        sentence = f"It has not come to an end within {seconds:g} seconds: is this a loop that never ends?"
        return _at(exercise, file, WRONG, [sentence], line)
    return _raised(exercise, file, error)


def _found_wrong(exercise: str, file: Path, error: WrongError) -> Verdict:
    line = None
    with suppress(SyntaxError, ValueError, OSError):
        line = learners_file.line_of_output(file, error.function, error.output) if error.function else None
    return _at(exercise, file, WRONG, error.sentences, line).with_outputs(error.outputs, error.slips)


def _raised(exercise: str, file: Path, error: BaseException) -> Verdict:
    """What the learner's code has raised.

    Raises:
        BaseException: The error, if it does not come out of the learner's file.
    """
    line = learners_file.last_line(error.__traceback__, file)
    if line is None:
        raise error
    if isinstance(error, SystemExit):
        return _at(exercise, file, WRONG, ["The file ends the program (exit): it has to return instead."], line)
    if isinstance(error, RecursionError):
        return _at(exercise, file, WRONG, ["A function calls itself without end (RecursionError)."], line)
    if isinstance(error, MemoryError):
        return _at(exercise, file, WRONG, [f"It wants more memory than it may have: {error}"], line)
    text = str(error).strip() or "without a message"
    sentences = [f"{type(error).__name__}: {text}{'' if text.endswith('.') else '.'}"]
    if any(words in text for words in UNFIT):
        sentences.insert(0, "The shapes of two arrays do not fit each other.")
    return _at(exercise, file, WRONG, sentences + list(getattr(error, "__notes__", [])), line)


def _unfilled(file: Path, line: int | None) -> str:
    function = learners_file.function_at(file, line)
    return f"{function or 'The file'} still has its gap: write it in place of `raise NotImplementedError`."


def _at(exercise: str, file: Path, outcome: str, sentences: list[str], line: int | None) -> Verdict:
    code = None
    with suppress(OSError, UnicodeDecodeError, IndexError):
        code = file.read_text("utf-8").splitlines()[line - 1].strip() if line else None
    return Verdict(exercise, str(file), outcome, sentences, line=line, code=code)
