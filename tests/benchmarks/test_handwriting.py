"""The benchmark of handwriting: which pictures are drawn, and how answers are counted."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import handwriting
from benchmarks.handwriting import Row
from core.artifact.manifest import Manifest, Rejection
from core.artifact.repository import Repository
from core.drawing.digits import STYLES
from core.drawing.others import OTHERS
from core.inference.predict import Predictor, rebuild

Version = tuple[Predictor, Manifest]


@pytest.fixture(scope="module")
def shipped() -> Version:
    return handwriting.version_of(handwriting.PRETRAINED)


@pytest.fixture(scope="module")
def rows(shipped: Version) -> list[Row]:
    return list(handwriting.measure(shipped, each=1, seed=5, folders=()))


def test_every_kind_has_the_number_of_pictures_that_was_asked_for(rows: list[Row]) -> None:
    assert {row.pictures for row in rows} == {1}
    assert all(row.right + row.wrong + row.refused == row.pictures for row in rows)


def test_all_styles_and_all_other_things_are_among_the_kinds(rows: list[Row]) -> None:
    kinds = {(row.group, row.kind) for row in rows}
    assert {("style", name) for name in STYLES} <= kinds
    assert {("no digit", name) for name in OTHERS} <= kinds
    assert {group for group, _ in kinds} == {"style", "pen", "paper", "28×28", "no digit"}


def test_the_same_seed_draws_the_same_pictures(shipped: Version, rows: list[Row]) -> None:
    assert list(handwriting.measure(shipped, each=1, seed=5, folders=())) == rows


def test_a_version_that_refuses_everything_is_right_about_what_is_no_digit(shipped: Version) -> None:
    _, manifest = shipped
    refusing = manifest.model_copy(update={"rejection": Rejection(scale=1e-6, offset=-50.0, threshold=0.5)})
    weights = Repository(handwriting.PRETRAINED).read(manifest)
    found = list(handwriting.measure((rebuild(refusing, weights), refusing), each=1, seed=0, folders=()))
    assert all(row.right == 1 for row in found if row.group == "no digit")
    assert all(row.refused == 1 for row in found if row.group != "no digit")


def test_real_pictures_are_labeled_by_the_first_character_of_their_names(shipped: Version, tmp_path: Path) -> None:
    page = np.full((200, 200), 255, np.uint8)
    page[40:160, 95:107] = 0
    for name in ("1_by_hand.png", "7_by_hand.png", "notes.png"):
        Image.fromarray(page).save(tmp_path / name)
    *_, row = handwriting.measure(shipped, each=0, seed=0, folders=(tmp_path,))
    assert row == Row("real", tmp_path.name, pictures=2, right=1, wrong=1, refused=0, surely_wrong=row.surely_wrong)


def test_json_has_the_totals_of_groups_and_of_all_digits(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row("pen", "brush", 4, 3, 1, 0, 1),
        Row("pen", "pencil", 4, 2, 1, 1, 0),
        Row("no digit", "face", 9, 9, 0, 0, 0),
    ]
    handwriting.write(rows, as_json=True)
    totals = {row["group"]: row for row in json.loads(capsys.readouterr().out) if row["kind"] == "total"}
    assert totals.keys() == {"pen", "no digit", "all digits"}
    assert totals["pen"]["pictures"] == totals["all digits"]["pictures"] == 8
    assert totals["pen"]["right"] == totals["all digits"]["right"] == 5
    assert totals["all digits"]["surely_wrong"] == 1


def test_the_table_leaves_out_zeros(capsys: pytest.CaptureFixture[str]) -> None:
    handwriting.write([Row("pen", "brush", 4, 4, 0, 0, 0)], as_json=False)
    brush = next(line for line in capsys.readouterr().out.splitlines() if "brush" in line)
    assert brush.split() == ["pen", "brush", "4", "100.0%"]
