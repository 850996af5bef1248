"""The command line: `python -m exercises [watch | check | list | hint | solution | reset | torch]`."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import NumeralError
from core.terminal import accept_any_text
from exercises import keyboard, process, show, side_by_side
from exercises.catalog import EXERCISES, Exercise, UnknownExerciseError, find
from exercises.folder import Folder
from exercises.verdict import UNFILLED, Verdict
from exercises.watch import Watch

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0; 1 if something checked has not passed, or an error occurred; 2 if the command is wrong.
    """
    accept_any_text()
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, Folder], int] = options.command
    try:
        status = command(options, Folder(options.folder))
        sys.stdout.flush()
        return status
    except NumeralError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UnknownExerciseError) else 1
    except KeyboardInterrupt:
        print("\nWhat has passed is remembered.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _watch(options: argparse.Namespace, folder: Folder) -> int:
    if copied := folder.fill():
        print(f"Copied {copied} exercises to {show.relative(folder.path)}/. Write your code there.")
    if keyboard.there_is_one():
        return Watch(folder, options.time_limit).run()
    exercise = folder.first_open()
    if exercise is None:
        print(show.listing(folder))
        return 0
    found = _check_one(folder, exercise, options.time_limit)
    print(show.verdict(found, exercise))
    print(
        "\nThis is no terminal, so it was checked once. Others: python -m exercises check | list | hint | solution | "
        "reset"
    )
    return 0 if found.passed else 1


def _check(options: argparse.Namespace, folder: Folder) -> int:
    folder.fill()
    chosen = [find(name) for name in options.names] or list(EXERCISES)
    found = []
    for exercise in chosen:
        verdict = _check_one(folder, exercise, options.time_limit)
        found.append(verdict)
        if options.json:
            continue
        if options.names or verdict.outcome != UNFILLED:
            print(show.verdict(verdict, exercise), end="\n\n", flush=True)
        else:
            print(f"not written yet  {exercise.name}", flush=True)
    if options.json:
        print(json.dumps([verdict.as_json() for verdict in found], indent=2, ensure_ascii=False))
    elif len(found) > 1:
        print(f"\n{sum(verdict.passed for verdict in found)} of {len(found)} have passed.")
    return 0 if all(verdict.passed for verdict in found) else 1


def _check_one(folder: Folder, exercise: Exercise, seconds: float) -> Verdict:
    digest = folder.digest(exercise)
    found = process.check(exercise, folder.file(exercise), seconds)
    folder.remember(exercise, digest, passed=found.passed)
    return found


def _list(options: argparse.Namespace, folder: Folder) -> int:
    folder.fill()
    if options.json:
        rows = [
            {
                "exercise": exercise.name,
                "title": exercise.title,
                "state": folder.state(exercise),
                "file": str(folder.file(exercise)),
            }
            for exercise in EXERCISES
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        print(show.listing(folder, folder.first_open()))
    return 0


def _hint(options: argparse.Namespace, folder: Folder) -> int:  # noqa: ARG001 — one signature for all commands
    exercise = find(options.name)
    print(show.hint(exercise, options.level))
    if options.level < len(exercise.hints):
        print(f"\n  More: python -m exercises hint {exercise.number} --level {options.level + 1}")
    return 0


def _solution(options: argparse.Namespace, folder: Folder) -> int:  # noqa: ARG001 — one signature for all commands
    print(find(options.name).solution.read_text("utf-8"), end="")
    return 0


def _reset(options: argparse.Namespace, folder: Folder) -> int:
    exercise = find(options.name)
    folder.fill()
    kept = folder.reset(exercise)
    said = f"; your text is kept in {show.relative(kept)}" if kept else ""
    print(f"{show.relative(folder.file(exercise))} is the original{said}.")
    return 0


def _torch(options: argparse.Namespace, folder: Folder) -> int:  # noqa: ARG001 — one signature for all commands
    return side_by_side.main()


def _common() -> argparse.ArgumentParser:
    """The options that may stand before or behind the command. Made anew for each parser, as it keeps its defaults."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--folder", type=Path, help="where your files are [my_exercises]")
    common.add_argument("--time-limit", type=_seconds, metavar="SECONDS", help="how long a file may run [10]")
    return common


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exercises",
        description="Implement a network yourself, one exercise after the other. Without a command: watch.",
        parents=[_common()],
    )
    parser.set_defaults(command=_watch, folder=Path("my_exercises"), time_limit=process.SECONDS)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace, Folder], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about, parents=[_common()])
        added.set_defaults(command=command)
        return added

    add("watch", _watch, "Show an exercise, and check it whenever its file is saved.")
    check = add("check", _check, "Check exercises once. The exit status is 1 if one has not passed.")
    check.add_argument("names", nargs="*", metavar="NAME", help="number or name; all, if none is given")
    check.add_argument("--json", action="store_true", help="print one JSON document")
    listed = add("list", _list, "List the exercises, and which have passed.")
    listed.add_argument("--json", action="store_true", help="print one JSON document")
    hinted = add("hint", _hint, "Give a hint; each level says more.")
    hinted.add_argument("name", metavar="NAME")
    hinted.add_argument("--level", type=_level, default=1, help="from 1, a nudge, upwards")
    add("solution", _solution, "Print the solution.").add_argument("name", metavar="NAME")
    add("reset", _reset, "Bring the original of a file back; yours is kept beside it.").add_argument(
        "name", metavar="NAME"
    )
    add("torch", _torch, "The same network in NumPy and in PyTorch, number by number.")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 86400:
        raise argparse.ArgumentTypeError(f"{text}, expected more than 0 seconds")
    return value


def _level(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}, expected at least 1")
    return value
