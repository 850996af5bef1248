"""People's decisions about new pictures: they are kept, the later one holds, and each failure is one sentence."""

from pathlib import Path

import pytest

from core.errors import ReviewError
from pipelines.new_data.reviews import Reviews

A, B = "a" * 64, "b" * 64


def test_without_any_decision_nothing_is_accepted_or_rejected(tmp_path: Path) -> None:
    assert Reviews(tmp_path).accepted() == Reviews(tmp_path).rejected() == frozenset()


def test_the_later_decision_about_a_picture_holds(tmp_path: Path) -> None:
    Reviews(tmp_path).accept([A, B])
    Reviews(tmp_path).reject([B])
    assert (Reviews(tmp_path).accepted(), Reviews(tmp_path).rejected()) == ({A}, {B})
    Reviews(tmp_path).accept([B])
    assert (Reviews(tmp_path).accepted(), Reviews(tmp_path).rejected()) == ({A, B}, frozenset())


def test_a_file_that_is_no_decision_is_ignored(tmp_path: Path) -> None:
    Reviews(tmp_path).accept([A])
    (tmp_path / "reviews" / "accepted" / ".DS_Store").touch()
    assert Reviews(tmp_path).accepted() == {A}


def test_a_decision_that_cannot_be_kept_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "reviews").touch()
    with pytest.raises(ReviewError, match=r"cannot write the decision to .*reviews: .*; name .*--data-dir"):
        Reviews(tmp_path).accept([A])
    with pytest.raises(ReviewError, match="cannot read the decisions"):
        Reviews(tmp_path).accepted()
