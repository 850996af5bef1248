"""Every block of code of every page: it is run, and what the page shows is what happens; or it says why it is not.

One test for a page, not for a block: they build on each other, and tests run in random order on several processes.
`tests/docs/run_page.py` runs a page; CONTRIBUTING.md says how a block is marked.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.docs.command import commands
from tests.docs.document import blocks
from tests.docs.pages import PAGES, ROOT, code, label
from tests.docs.spelling import mistakes

WITH_CODE = [page for page in PAGES if code(page)]

pytestmark = pytest.mark.parametrize("page", WITH_CODE, ids=label)


def test_a_page_does_what_it_says_and_every_block_is_run_or_has_a_reason(page, tmp_path):
    folder, report = tmp_path / "clone", tmp_path / "report.json"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.run_page", page, folder, report],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(report.read_text("utf-8"))
    assert [outcome["line"] for outcome in outcomes] == [line for line, _ in code(page)]
    assert [outcome for outcome in outcomes if not outcome["done"]] == []


def test_no_block_is_only_indented_because_then_nothing_says_its_language(page):
    assert [line for line, kind in code(page) if kind != "fence"] == []


def test_every_command_names_subcommands_options_targets_and_methods_that_exist(page):
    shown = [block.source for block in blocks(page) if block.language == "console"]
    assert [mistake for source in shown for command in commands(source) for mistake in mistakes(command)] == []
