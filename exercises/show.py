"""Verdicts, lists and hints as text for a terminal."""

import os
import sys
import textwrap
from pathlib import Path

from exercises.catalog import EXERCISES, Exercise
from exercises.folder import CHANGED, DONE, Folder
from exercises.verdict import UNFILLED, Verdict

__all__ = ["bold", "dim", "hint", "listing", "relative", "verdict"]

WIDTH = 100


def verdict(found: Verdict, exercise: Exercise) -> str:
    """What a check has found, in a few lines."""
    lines = []
    if found.printed.strip():
        lines += [dim("Your file has printed:"), textwrap.indent(found.printed.rstrip(), "  ")]
    where = f"{relative(Path(found.file))}{f':{found.line}' if found.line else ''}"
    if found.passed:
        lines.append(f"{_colored('32', 'passed')}  {bold(exercise.name)}")
        if found.note:
            lines += ["", *_wrapped(found.note)]
        return "\n".join(lines)
    word = "not written yet" if found.outcome == UNFILLED else "not right yet"
    lines.append(f"{_colored('33' if found.outcome == UNFILLED else '31', word)}  {bold(exercise.name)}  {where}")
    if found.code and found.outcome != UNFILLED:
        lines.append(dim(f"    {found.line} | {found.code}"))
    if len(found.outputs) > 1:
        lines.append("")
        width = max(len(output.name) for output in found.outputs)
        for output in found.outputs:
            error = "" if output.error is None else f"  relative error {output.error:.1e}"
            mark = _colored("32", "right") if output.right else _colored("31", "wrong")
            lines.append(f"  {output.name:{width}}  {mark}{error}")
    lines.append("")
    for sentence in found.sentences:
        lines += _wrapped(sentence)
    return "\n".join(lines)


def listing(folder: Folder, current: Exercise | None = None) -> str:
    """All exercises and what is known of them."""
    marks = {DONE: _colored("32", "passed "), CHANGED: _colored("33", "changed")}
    lines = []
    for exercise in EXERCISES:
        mark = marks.get(folder.state(exercise), "       ")
        arrow = ">" if exercise == current else " "
        lines.append(f"{arrow} {mark}  {exercise.name:20}  {exercise.topic}")
    done = sum(folder.state(exercise) == DONE for exercise in EXERCISES)
    return "\n".join(
        [*lines, "", f"{done} of {len(EXERCISES)} have passed. The files are in {relative(folder.path)}/."]
    )


def hint(exercise: Exercise, level: int) -> str:
    """The hint of a level, from 1."""
    number = min(level, len(exercise.hints))
    text = exercise.hints[number - 1]
    paragraphs = [block if block.startswith("    ") else "\n".join(_wrapped(block)) for block in _paragraphs(text)]
    return f"{bold(f'Hint {number} of {len(exercise.hints)}')}\n" + "\n".join(paragraphs)


def relative(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def bold(text: str) -> str:
    """Bold, on a terminal."""
    return _colored("1", text)


def dim(text: str) -> str:
    """Dim, on a terminal."""
    return _colored("2", text)


def _colored(code: str, text: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{code}m{text}\033[0m"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def _paragraphs(text: str) -> list[str]:
    """Lines of text, of which those that are indented are kept as they are."""
    found: list[str] = []
    for line in text.splitlines():
        code = line.startswith("    ")
        if found and not code and not found[-1].startswith("    "):
            found[-1] += " " + line
        else:
            found.append(line)
    return found
