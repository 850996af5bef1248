"""What a page of the documentation shows: its blocks of code, its commands with their output, its links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["ROOT", "Block", "Command", "blocks", "commands", "targets"]

ROOT = Path(__file__).resolve().parents[2]

PRINTED = re.compile(r"^ *print\(.*\)  # (.+)$", re.MULTILINE)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of Python.

    Attributes:
        code: Compiled, so that a traceback names the page and the line.
        printed: What stands in a comment behind each `print(…)`: its output, with … for anything.
    """

    code: CodeType
    printed: list[str]


@dataclass(frozen=True)
class Command:
    """A command of a console block, and the output that is shown below it, with … for anything."""

    line: str
    output: str


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt().parse(page.read_text("utf-8"))


def _fences(page: Path, language: str) -> Iterator[tuple[str, int]]:
    """The content of each fenced block of a language, and the line on which it begins."""
    for token in _tokens(page):
        if token.type == "fence" and token.info == language:
            assert token.map is not None
            yield token.content, token.map[0] + 1


def blocks(page: Path) -> list[Block]:
    """The blocks of Python, in order."""
    return [
        Block(compile("\n" * line + content, str(page), "exec"), PRINTED.findall(content))
        for content, line in _fences(page, "python")
    ]


def commands(page: Path) -> list[Command]:
    """The commands, which begin with `$ `, in order."""
    shown = "".join(content for content, _ in _fences(page, "console"))
    return [Command(line, output.strip("\n")) for line, output in COMMAND.findall(shown)]


def targets(page: Path) -> list[str]:
    """Where its links and pictures point to."""
    inline = [child for token in _tokens(page) for child in token.children or ()]
    found = [child.attrGet("href") or child.attrGet("src") for child in inline]
    return [str(target) for target in found if target]
