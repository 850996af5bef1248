"""The commands of a block of console: what follows `$ `, and the output that is shown below."""

import re
import shlex
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Command", "commands"]

STARTS = re.compile(r"^\$ ", re.MULTILINE)
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
SUBSTITUTED = "aGVyZQ=="
"""Stands for the output of a command that is run within another one; for Base64 as well, which these often print."""
OPERATORS = "();<>|&"
BEFORE_A_PROGRAM = ("do", "else", "exec", "if", "sudo", "then", "time", "until", "while", "!", "{")
NO_PROGRAM = ("done", "fi", "for", "}")


@dataclass(frozen=True)
class Command:
    """A command as it is typed, over as many lines as it takes, and the output that is shown; "" if none is."""

    line: str
    output: str

    @cached_property
    def programs(self) -> list[list[str]]:
        """What it runs, each with its arguments, without variables that are set before. No variable is expanded."""
        line = self.line.replace("\\\n", " ")
        within = [program for inner in SUBSTITUTION.findall(line) for program in Command(inner, "").programs]
        return _programs(SUBSTITUTION.sub(SUBSTITUTED, line)) + within

    @property
    def prepares(self) -> bool:
        """Whether it only sets what later commands of the page see: variables, or an environment that is activated."""
        return all(words[0] in ("export", "source", "cd") for words in self.programs)

    def __str__(self) -> str:
        return " ".join(" ".join(words) for words in self.programs) or self.line


def commands(source: str) -> list[Command]:
    """The commands of a block, in order.

    Raises:
        ValueError: It does not begin with a command.
    """
    first, *others = STARTS.split(source)
    if first.strip() or not others:
        raise ValueError("a block of console begins with a command, which begins with `$ `")
    return [_command(text) for text in others]


def _command(text: str) -> Command:
    """A command goes on as long as its lines end with a backslash or a pipe, or a quote is open."""
    lines = text.rstrip("\n").split("\n")
    taken = 1
    while taken < len(lines) and not _complete("\n".join(lines[:taken])):
        taken += 1
    return Command("\n".join(lines[:taken]), "\n".join(lines[taken:]).strip("\n"))


def _complete(text: str) -> bool:
    if text.endswith(("\\", "|")):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:  # a quote is open
        return False
    return True


def _programs(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=OPERATORS)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    redirected = False
    for word in lexer:
        if set(word) <= set(OPERATORS):
            redirected = "<" in word or ">" in word
            if not redirected:
                found.append([])
        elif redirected:
            redirected = False
        elif found[-1] or not (ASSIGNMENT.match(word) or word in BEFORE_A_PROGRAM):
            found[-1].append(word)
    return [words for words in found if words and words[0] not in NO_PROGRAM]
