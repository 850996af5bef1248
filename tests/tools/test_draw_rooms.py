"""tools/draw_rooms.py: the drawings of docs/architecture.md, from the real imports."""

import re
import subprocess
import sys
import tomllib
from xml.etree import ElementTree as ET

import pytest

from tests.docs.pages import ROOT

KEPT = ROOT / "docs/images/architecture"
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")
LARGEST = 30_000  # bytes
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with the drawings that the tool makes."""
    folder = tmp_path_factory.mktemp("architecture")
    subprocess.run([sys.executable, "tools/draw_rooms.py", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import draw_rooms

    return draw_rooms


def written(drawing):
    """The texts of a drawing, and the imports that it says it shows."""
    found = ET.parse(drawing)
    texts = ["".join(element.itertext()) for element in found.iter(f"{SVG}text")]
    (words,) = (element.text for element in found.iter(f"{SVG}desc"))
    return texts, words


def test_the_page_shows_the_drawings_that_are_kept_and_the_tool_makes_them(made):
    named = set(re.findall(r"images/architecture/([\w-]+\.svg)", PAGE))
    assert named == {file.name for file in KEPT.iterdir()} == {file.name for file in made.iterdir()}


def test_the_drawings_show_the_imports_of_the_code_as_it_is(made):
    for drawing in made.iterdir():
        again = f"{drawing.name} is older than the code: run tools/draw_rooms.py"
        assert written(drawing) == written(KEPT / drawing.name), again


def test_a_drawing_is_small_and_the_same_each_time(made, tmp_path):
    subprocess.run([sys.executable, "tools/draw_rooms.py", str(tmp_path)], cwd=ROOT, check=True)
    for drawing in made.iterdir():
        assert drawing.read_bytes() == (tmp_path / drawing.name).read_bytes()
        assert drawing.stat().st_size <= LARGEST


def test_imports_that_follow_from_others_have_no_arrow(tool):
    chain = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}
    assert tool.arrows(chain) == [("a", "b"), ("b", "c")]
    assert tool.floors(chain) == {"a": 2, "b": 1, "c": 0}


def test_rooms_that_import_each_other_stand_on_one_floor(tool):
    mutual = {"a": frozenset("b"), "b": frozenset("ac"), "c": frozenset()}
    assert tool.floors(mutual) == {"a": 1, "b": 1, "c": 0}
    assert tool.arrows(mutual) == [("a", "b"), ("b", "a"), ("b", "c")]


def test_no_room_of_the_service_imports_one_that_its_contract_puts_above_it():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each["name"] == "the layers of the service")
    order = {name.rpartition(".")[2]: at for at, line in enumerate(layers) for name in line.split(" : ")}
    _, words = written(KEPT / "service.svg")
    imports = [sentence.split(" imports ") for sentence in words.split("; ")]
    drawn = [(name, other) for name, others in imports for other in others.split(", ") if {name, other} <= order.keys()]
    assert len(drawn) > 10
    assert [(name, other) for name, other in drawn if order[name] > order[other]] == []


def test_every_folder_is_drawn(tool):
    for package, rooms in tool.ROOMS.items():
        assert rooms.keys() == {folder.parent.name for folder in (ROOT / package).glob("*/__init__.py")}
