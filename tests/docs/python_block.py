"""Blocks of Python: those of a page are one program, run in order."""

import ast
import asyncio
import inspect
import io
import re
from contextlib import redirect_stdout
from typing import Any

from tests.docs.document import Block
from tests.docs.output import matches

__all__ = ["run"]

PRINTED = re.compile(r"^ *print\(.*\)  # (.+)$", re.MULTILINE)
"""A comment behind a `print(…)` is what it prints, with … for anything."""


def run(block: Block, path: str, names: dict[str, Any]) -> None:
    """Run a block, and compare what it prints with what its comments say.

    Args:
        block: The block; it may `await`, as in Python's asyncio console.
        path: The page, which a traceback names.
        names: The variables of the page.

    Raises:
        AssertionError: It prints something else.
    """
    source = "\n" * block.line + block.source
    code = compile(source, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    with redirect_stdout(io.StringIO()) as output:
        ending = eval(code, names)
        if inspect.iscoroutine(ending):
            asyncio.run(ending)
    shown, printed = PRINTED.findall(block.source), output.getvalue().splitlines()
    if not shown:
        return
    assert len(printed) == len(shown), f"the comments show {len(shown)} lines; printed were {printed}"
    for comment, line in zip(shown, printed, strict=True):
        assert matches(comment, line), f"the page shows {comment!r}; printed was {line!r}"
