"""tools/draw_framing.py: the pictures of docs/guide/framing.md."""

import re
import subprocess
import sys

import pytest
from PIL import Image

from tests.docs.pages import ROOT

KEPT = ROOT / "docs/images/framing"
LARGEST = 40_000  # bytes: a page with sixteen of them still opens at once


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with the pictures that the tool makes."""
    folder = tmp_path_factory.mktemp("framing")
    subprocess.run([sys.executable, "tools/draw_framing.py", str(folder)], cwd=ROOT, check=True)
    return folder


def names(folder):
    return {file.name for file in folder.iterdir()}


def test_the_page_names_the_pictures_that_are_made_and_no_others(made):
    page = (ROOT / "docs/guide/framing.md").read_text("utf-8")
    assert set(re.findall(r"images/framing/([\w-]+\.\w+)", page)) == names(made)


def test_the_pictures_in_the_repository_are_of_the_version_that_ships(made):
    assert names(KEPT) == names(made)
    for name in names(made):
        with Image.open(KEPT / name) as kept, Image.open(made / name) as new:
            again = f"{name} is older than the code or the shipped version: run tools/draw_framing.py"
            assert (kept.size, kept.info.get("weights")) == (new.size, new.info.get("weights")), again


def test_the_pictures_are_small(made):
    assert [file.name for folder in (KEPT, made) for file in folder.iterdir() if file.stat().st_size > LARGEST] == []
