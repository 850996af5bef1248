"""tools/draw_guide.py: the pictures of the guide's pages 1 to 6."""

import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from core.train.diagnostics import LayerDiagnostics, StepDiagnostics
from core.train.report import EpochReport
from pipelines.study.conduct import Row
from pipelines.study.family import Family
from pipelines.study.family import names as families
from pipelines.study.variant_outcome import Outcome
from tests.docs.pages import ROOT

KEPT = ROOT / "docs/images/guide"
PAGES = sorted((ROOT / "docs/guide").glob("*.md"))
LARGEST = 60_000  # bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder with the pictures that the tool makes in seconds: all but those of the studies."""
    folder = tmp_path_factory.mktemp("guide")
    subprocess.run([sys.executable, "tools/draw_guide.py", str(folder), "--without-studies"], cwd=ROOT, check=True)
    return folder


def names(folder):
    return {file.name for file in folder.iterdir()}


def texts(drawing):
    """What is written in a drawing, in the order of the file."""
    return ["".join(element.itertext()) for element in ET.parse(drawing).iter("{http://www.w3.org/2000/svg}text")]


def test_the_pages_name_the_pictures_that_are_kept_and_no_others():
    named = {name for page in PAGES for name in re.findall(r"images/guide/([\w-]+\.\w+)", page.read_text("utf-8"))}
    assert named == names(KEPT)


def test_the_tool_makes_all_pictures_but_those_of_the_studies(made):
    assert names(KEPT) - names(made) == {f"{name}.svg" for name in families()}
    assert names(made) <= names(KEPT)


def test_what_is_written_in_the_drawings_is_what_the_code_gives_now(made):
    for drawing in made.glob("*.svg"):
        again = f"{drawing.name} is older than the code: run tools/draw_guide.py"
        assert texts(drawing) == texts(KEPT / drawing.name), again


def test_the_pictures_of_the_studies_name_the_variants():
    for name in families():
        drawn = set(texts(KEPT / f"{name}.svg"))
        assert len(drawn & {member.name for member in Family.load(name).members}) >= 5


def test_the_picture_of_a_study_is_drawn_from_its_rows(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import guide_charts
    from guide_canvas import svg

    for name, draw in guide_charts.STUDIES.items():
        rows = [Row(variant, outcome(), reused=False) for variant in Family.load(name).variants()]
        drawn = svg(draw(rows)).decode()
        assert rows[0].variant.name in drawn


def outcome():
    """Two epochs of a network with two layers."""
    layers = [
        LayerDiagnostics("0.dense", 0.0, 1.0, gradient_norm=0.1),
        LayerDiagnostics("1.dense", 0.0, 1.0, gradient_norm=1),
    ]
    history = [
        EpochReport(
            epoch=epoch,
            epochs=2,
            train_loss=1 / epoch,
            train_accuracy=0.5,
            validation_loss=2 / epoch,
            validation_accuracy=0.5,
            learning_rate=0.1,
            seconds=1.0,
            images_per_second=1.0,
            stopped=None,
            diagnostics=(StepDiagnostics(0, tuple(layers)),),
        )
        for epoch in (1, 2)
    ]
    return Outcome(
        history=tuple(history),
        initial_loss=2.3,
        initial_accuracy=0.1,
        parameters=1,
        seconds=1.0,
        images=1,
        validation_images=1,
        kept_epoch=2,
    )


def test_the_same_picture_is_the_same_file(made, tmp_path):
    subprocess.run([sys.executable, "tools/draw_guide.py", str(tmp_path), "--without-studies"], cwd=ROOT, check=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        file.name: file.read_bytes() for file in made.iterdir()
    }


def test_the_pictures_are_small():
    assert [file.name for file in KEPT.iterdir() if file.stat().st_size > LARGEST] == []
