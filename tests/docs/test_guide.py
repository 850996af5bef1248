"""docs/guide: what its pages show is what happens, block by block and command by command.

Not one test for each block: they build on each other, and the tests run in random order on several processes.
"""

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, commands

PAGES = sorted((ROOT / "docs/guide").glob("*.md"))

pytestmark = pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """The folder of a fresh clone, in which nothing was published: what a page writes is written here."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name != "models":
            (tmp_path / entry.name).symlink_to(entry)
    for name in [name for name in os.environ if name.startswith("NUMERAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matches(shown: str, happened: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), happened, re.DOTALL) is not None


def test_every_block_of_python_runs_and_prints_what_its_comments_say(page, clone):
    names: dict[str, object] = {}
    for block in blocks(page):
        with redirect_stdout(io.StringIO()) as output:
            exec(block.code, names)
        lines = output.getvalue().splitlines()
        if block.printed:
            assert len(lines) == len(block.printed), lines
        for shown, line in zip(block.printed, lines, strict=False):
            assert matches(shown, line), f"the page shows {shown!r}, printed was {line!r}"


def test_every_command_succeeds_with_the_output_that_is_shown(page, clone):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    outputs = []
    for command in commands(page):
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=clone,
            env=os.environ | {"PATH": path},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.append((command.output, done.stdout.strip("\n")))
    for shown, output in outputs:
        assert not shown or matches(shown, output), output
