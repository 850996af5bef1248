"""`python -m tests.docs.run_page PAGE FOLDER REPORT`: run the blocks of a page in order, in an empty folder.

In a process of its own, as its reader would: nothing is imported yet, and the current folder is its own. The report is
a JSON list with what was done with each block that a reader sees; the exit status is 1 if one of them is not what the
page says, and standard error tells which.
"""

import json
import os
import sys
import traceback
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import SkipTest

from sybil.example import Example

from tests.docs import data_block, python_block
from tests.docs.command import commands
from tests.docs.console_block import Console
from tests.docs.document import Block, parse
from tests.docs.not_run import reason
from tests.docs.pages import label
from tests.docs.servers import Servers

__all__ = ["Page"]

TEXT = ("", "math", "mermaid", "nginx", "text")
"""Languages of what is neither run nor parsed."""

NOT_TEXT = ("$ ", "python -m ", "docker ", "kubectl ")


class Page:
    """What is done with the blocks of a page.

    Args:
        path: Its file.
        folder: Where they run; it is prepared when the first of them does.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        languages = {"console": self._commands, "python": self._python, **dict.fromkeys(data_block.PARSERS, self._data)}
        self._document = parse(path, {**languages, **dict.fromkeys(TEXT, self._text)})
        self._document.namespace |= {"__name__": "__main__", "token": "a-token-of-the-reader-0123456789"}
        self._path = path
        self._folder = folder
        self._said: list[str] = []
        self._stack = ExitStack()

    @cached_property
    def _servers(self) -> Servers:
        from tests.docs.prepared import prepare  # it imports much; most pages only show text

        for name in [name for name in os.environ if name.startswith("NUMERAL_")]:
            del os.environ[name]
        os.environ |= prepare(self._folder, self._path)
        os.chdir(self._folder)
        return self._stack.enter_context(Servers(self._folder, os.environ))

    @cached_property
    def _console(self) -> Console:
        return Console(self._folder, os.environ, self._servers)

    def run(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Run all blocks.

        Returns:
            For each visible block its line, its language, and what was done with it or why not; and what went wrong.
        """
        done, wrong = [], []
        with self._stack:
            for example in self._document:
                block = example.parsed
                self._said = []
                try:
                    if isinstance(block, Block) and not example.region.evaluator:
                        raise ValueError(f"{block.language!r} is no language that is known here; see CONTRIBUTING.md")
                    example.evaluate()
                except SkipTest as why:
                    self._said = [f"not run: {why}"]
                except Exception:  # noqa: BLE001 — whatever it is, the page is wrong
                    wrong.append(f"{label(Path(example.path))}:{example.line}\n{traceback.format_exc()}")
                if isinstance(block, Block) and block.visible:
                    done.append({"line": block.line, "language": block.language, "done": self._said})
        return done, wrong

    def _python(self, example: Example) -> None:
        block = example.parsed
        real = Block(block.language, self._servers.real(block.source), block.line)
        python_block.run(real, example.path, example.namespace)
        self._said = ["run"]

    def _commands(self, example: Example) -> None:
        for command in commands(example.parsed.source):
            why = reason(command)
            if not why:
                self._console.run(command)
            self._said.append(f"{command}: {f'not run: {why}' if why else 'run'}")

    def _data(self, example: Example) -> None:
        data_block.PARSERS[example.parsed.language](example.parsed.source)
        self._said = ["parsed"]

    def _text(self, example: Example) -> None:
        typed = [line for line in example.parsed.source.splitlines() if line.startswith(NOT_TEXT)]
        if typed:
            raise ValueError(f"a command in a block of text: {typed[0]}; write ```console, and `$ ` before it")
        self._said = ["text"]


def main(page: Path, folder: Path, report: Path) -> int:
    """Run a page in a folder that exists and is empty; the exit status."""
    done, wrong = Page(page, folder).run()
    report.write_text(json.dumps(done), "utf-8")
    sys.stderr.write("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
