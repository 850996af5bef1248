"""A learner's file: executed under its own name, so that every error has a line in it."""

import ast
import inspect
import linecache
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from exercises.verdict import WrongError

__all__ = ["call", "function_at", "function_of", "last_line", "line_of_output", "load"]


def load(file: Path) -> dict[str, Any]:
    """Execute a file, and return the names that it defines.

    Raises:
        SyntaxError: It is not Python; or whatever else executing it raises.
    """
    source = file.read_text("utf-8")
    linecache.checkcache(str(file))
    names: dict[str, Any] = {"__name__": file.stem, "__file__": str(file)}
    exec(compile(source, str(file), "exec"), names)  # noqa: S102 — to run the learner's code is what this is for
    return names


def function_of(names: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """A function that the file has to define.

    Raises:
        WrongError: It does not.
    """
    if name not in names:
        raise WrongError(f"The file defines no {name}: was it renamed or deleted? `reset` brings the original back.")
    function: Callable[..., Any] = names[name]
    if not callable(function):
        raise WrongError(f"{name} is {function!r}, expected a function.")
    return function


def call(name: str, function: Callable[..., Any], arguments: Mapping[str, Any], keywords: tuple[str, ...] = ()) -> Any:
    """Call a learner's function. What it raises carries a note about what it was called with.

    Args:
        name: The function's name.
        function: It.
        arguments: By name, in order.
        keywords: Those that are passed by name.

    Raises:
        WrongError: It does not take these arguments.
    """
    by_name = {key: value for key, value in arguments.items() if key in keywords}
    in_order = [value for key, value in arguments.items() if key not in keywords]
    try:
        inspect.signature(function).bind(*in_order, **by_name)
    except TypeError:
        wanted = ", ".join(arguments)
        raise WrongError(
            f"{name} takes {inspect.signature(function)}, expected ({wanted}): the first line was changed.",
            function=name,
        ) from None
    try:
        return function(*in_order, **by_name)
    except Exception as error:
        error.add_note(f"{name} was called with {', '.join(_described(*item) for item in arguments.items())}.")
        raise


def _described(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{name} {value.shape}"
    return f"{name} = {value}" if isinstance(value, int | float | bool) else name


def last_line(trace: TracebackType | None, file: Path) -> int | None:
    """The line of the file at which an error arose, or through which it came."""
    line = None
    while trace:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def line_of_output(file: Path, function: str, output: str) -> int | None:
    """Where a function makes an output: the last assignment to that name, else its return, else its first line."""
    found: int | None = None
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
            found = node.lineno
            returns = [part.lineno for part in ast.walk(node) if isinstance(part, ast.Return | ast.Yield)]
            made = [part.lineno for part in ast.walk(node) if isinstance(part, ast.stmt) and _assigns(part, output)]
            found = max(made or returns or [found])
    return found


def _assigns(node: ast.stmt, name: str) -> bool:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    named = [part for target in targets for part in ast.walk(target)]
    return any(isinstance(part, ast.Name) and part.id == name for part in named)


def function_at(file: Path, line: int | None) -> str | None:
    """The name of the function in which a line stands."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and line and node.lineno <= line <= (node.end_lineno or node.lineno):
            return node.name
    return None
