"""Items of feedback that a reviewer has accepted: durable marks, which nothing else can be mistaken for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError
from core.feedback import FeedbackFolder
from core.feedback_marks import LARGEST_MARK

from .artifact.forbidden import forbid
from .test_feedback import item


@pytest.fixture
def folder(tmp_path: Path) -> FeedbackFolder:
    found = FeedbackFolder(tmp_path / "feedback")
    for digit in (1, 7):
        found.add(item(digit=digit))
    return found


ONE, SEVEN = item(digit=1).name, item(digit=7).name


def mark(folder: FeedbackFolder, name: str = ONE) -> Path:
    return folder.path / "accepted" / name


def test_an_accepted_item_is_marked_beside_the_items_for_any_reader(folder: FeedbackFolder) -> None:
    before = os.umask(0o077)
    try:
        folder.accept(ONE)
        folder.accept(ONE)
    finally:
        os.umask(before)
    assert folder.accepted() == {ONE}
    assert (folder.is_accepted(ONE), folder.is_accepted(SEVEN)) == (True, False)
    assert [path.name for path in mark(folder).parent.iterdir()] == [ONE]
    assert (mark(folder).stat().st_size, mark(folder).stat().st_mode & 0o777) == (0, 0o644)
    assert mark(folder).parent.stat().st_mode & 0o777 == 0o755


def test_an_accepted_item_is_contradicted_by_nobody_and_its_rivals_are(folder: FeedbackFolder) -> None:
    folder.accept(ONE)
    found = dict(folder.examined())
    assert found[ONE] == folder.read(ONE)
    assert isinstance(found[SEVEN], DamagedFeedbackError)


def test_of_one_picture_only_the_digit_that_was_accepted_last_is_accepted(folder: FeedbackFolder) -> None:
    folder.accept(ONE)
    folder.accept(SEVEN)
    assert folder.accepted() == {SEVEN}


def test_of_two_digits_that_are_marked_by_hand_neither_is_usable(folder: FeedbackFolder) -> None:
    folder.accept(ONE)
    mark(folder, SEVEN).touch()
    assert all(isinstance(error, DamagedFeedbackError) for error in folder.sound())


def test_a_discarded_item_is_accepted_no_longer_and_cannot_be_accepted(folder: FeedbackFolder) -> None:
    folder.accept(ONE)
    folder.discard(ONE)
    assert folder.accepted() == frozenset()
    assert not mark(folder).exists()
    with pytest.raises(FeedbackNotFoundError):
        folder.accept(ONE)


def test_an_item_whose_discarding_was_interrupted_cannot_be_accepted(folder: FeedbackFolder) -> None:
    (folder.path / "discarded").mkdir()
    (folder.path / "discarded" / ONE).touch()
    with pytest.raises(FeedbackNotFoundError):
        folder.accept(ONE)


@pytest.mark.parametrize("name", ["a" * 64, "../accepted", ""])
def test_what_is_no_item_cannot_be_accepted(folder: FeedbackFolder, name: str) -> None:
    with pytest.raises(FeedbackNotFoundError):
        folder.accept(name)
    assert not mark(folder).parent.exists()


def test_an_item_that_teaches_nothing_cannot_be_accepted(folder: FeedbackFolder) -> None:
    blank = item(pixels=bytes(784))
    folder.add(blank)
    with pytest.raises(DamagedFeedbackError, match="nothing is drawn; every pixel is 0; discard it"):
        folder.accept(blank.name)
    (folder.path / f"{SEVEN}.json").write_bytes(b"{")
    with pytest.raises(DamagedFeedbackError, match="Invalid JSON"):
        folder.accept(SEVEN)
    assert folder.accepted() == frozenset()


def test_a_mark_without_its_item_counts_for_nothing(folder: FeedbackFolder) -> None:
    folder.accept(ONE)
    (folder.path / f"{ONE}.json").unlink()
    assert folder.accepted() == frozenset()


ODD: dict[str, Callable[[Path], object]] = {
    "a folder": lambda at: at.mkdir(),
    "a FIFO": os.mkfifo,
    "a link to a mark": lambda at: at.symlink_to("sound"),
    "a link to itself": lambda at: at.symlink_to(at.name),
    "a large file": lambda at: at.write_bytes(bytes(LARGEST_MARK + 1)),
}


@pytest.mark.parametrize("odd", ODD)
def test_whatever_else_lies_under_the_name_of_a_mark_is_none(folder: FeedbackFolder, odd: str) -> None:
    mark(folder).parent.mkdir()
    (mark(folder).parent / "sound").touch()
    ODD[odd](mark(folder))
    assert folder.accepted() == frozenset()
    assert not folder.is_accepted(ONE)
    if odd == "a folder":
        with pytest.raises(FeedbackError, match="cannot accept an item in the feedback folder"):
            folder.accept(ONE)
    else:
        folder.accept(ONE)
        assert folder.accepted() == {ONE}
        assert (mark(folder).parent / "sound").stat().st_size == 0, "no link is followed"
    folder.discard(ONE)
    assert folder.names() == [SEVEN]


@pytest.mark.parametrize("odd", [name for name in ODD if "mark" not in name])
def test_what_lies_in_the_place_of_the_folder_of_marks_is_said_and_counts_for_nothing(
    folder: FeedbackFolder, odd: str
) -> None:
    if odd == "a folder":
        mark(folder).parent.mkdir()
        assert folder.accepted() == frozenset()
        return
    ODD[odd](mark(folder).parent)
    with pytest.raises(DamagedFeedbackError, match=f"{mark(folder).parent}: a .*, where a folder is expected"):
        folder.accepted()
    assert not folder.is_accepted(ONE)
    with pytest.raises(FeedbackError, match="where a folder is expected"):
        folder.accept(ONE)
    folder.discard(ONE)
    assert folder.names() == [SEVEN]


def test_a_folder_of_marks_that_is_a_link_is_none(folder: FeedbackFolder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ONE).touch()
    mark(folder).parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedFeedbackError, match="a link, where a folder is expected"):
        folder.accepted()
    assert not folder.is_accepted(ONE)


def test_a_folder_of_marks_that_may_not_be_read_is_said(
    folder: FeedbackFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.accept(ONE)
    forbid(mark(folder).parent, monkeypatch)
    with pytest.raises(DamagedFeedbackError, match="Permission denied"):
        folder.accepted()
