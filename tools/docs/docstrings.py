"""Docstrings as they are written here, plain text with code between backticks, become reStructuredText.

What is only a character in a formula (`W*x`, `x_`, `|x|`) would be markup there. A passage that is indented by four or
more is code, and so is one that begins with a statement.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sphinx.application import Sphinx
from sphinx.util.typing import stringify_annotation

from core.kernels.arrays import Array

SPAN = re.compile(r"(``.*?``|`[^`]*`)", re.DOTALL)
MARKUP = re.compile(r"[*|\\]|_(?!\w)")
SECTION = re.compile(r"(Args|Attributes|Returns|Yields|Raises|Example|Examples|Note):$")
STATEMENT = re.compile(r"from [\w.]+ import |import \w|(with|for|while|if|def) .*:$")
BEFORE_NAPOLEON = 100
ALIASES = {
    DTypeLike: "DTypeLike",
    ArrayLike: "ArrayLike",
    Array: "Array",
    **{NDArray[kind]: f"NDArray[{kind.__name__}]" for kind in (np.uint8, np.float32, np.float64, np.int64, np.bool_)},
    NDArray[Any]: "NDArray",
}
"""Types that are written out in a page of text, and what the code calls them."""


def _escaped(paragraph: list[str]) -> list[str]:
    """A paragraph of running text. A code span may go over its lines, and its plural may stand right behind it."""
    parts = SPAN.split("\n".join(paragraph))
    for number in range(0, len(parts), 2):
        text = MARKUP.sub(r"\\\g<0>", parts[number])
        parts[number] = f"\\ {text}" if number and text[:1].isalnum() else text
    return "".join(parts).split("\n")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            yield list(group)


def rewritten(lines: list[str]) -> Iterator[str]:
    """The lines of a docstring as reStructuredText, with the sections of Google's style left for napoleon."""
    section = False
    for number, paragraph in enumerate(_paragraphs(lines)):
        statement = bool(STATEMENT.match(paragraph[0]))
        section = bool(SECTION.match(paragraph[0])) or (section and _indent(paragraph[0]) > 0)
        if number and not section and (statement or min(map(_indent, paragraph)) >= 4):
            yield from ["::", "", *(f"    {line}" for line in paragraph)]
        else:
            yield from _escaped(paragraph)
        yield ""


def _process(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = list(rewritten(lines))


def _shortened(
    _app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """A signature with the names of types as the code has them: Python itself has only kept what they stand for."""
    for kind, name in ALIASES.items():
        whole = stringify_annotation(kind, "smart")
        arguments, returned = (text and text.replace(whole, name) for text in (arguments, returned))
    return arguments, returned


def setup(app: Sphinx) -> dict[str, Any]:
    """Rewrite each docstring before napoleon reads it, and shorten each signature."""
    app.connect("autodoc-process-docstring", _process, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-process-signature", _shortened)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
