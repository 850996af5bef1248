"""What users sent to the service becomes items, and nothing in the folder stops the others."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import FeedbackError
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines.new_data.feedback import read_feedback
from pipelines.new_data.item import NewItem, SetAside
from tests.core.artifact.forbidden import forbid

from .given import digit


def sent(number: int, shows: int, original: bytes | None = None) -> FeedbackItem:
    return FeedbackItem(digit=shows, pixels=digit(number).tobytes(), received=datetime.now(UTC), original=original)


def read(folder: Path, said: list[str] | None = None) -> list[NewItem | SetAside]:
    messages = said if said is not None else []
    return list(read_feedback(folder, messages.append))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feedback"


def test_an_item_keeps_picture_digit_and_name(folder: Path) -> None:
    given = sent(1, 4, original=b"the file that was sent")
    FeedbackFolder(folder).add(given)
    [found] = read(folder)
    assert isinstance(found, NewItem)
    assert (found.image.tobytes(), found.label, found.name) == (given.pixels, 4, given.name)
    assert found.received == given.received
    assert (found.source, found.place) == (f"feedback {folder}", f"{given.name}.json")


def test_damaged_and_odd_entries_are_set_aside_with_their_reasons(folder: Path) -> None:
    items, good, damaged, one, other = FeedbackFolder(folder), sent(1, 4), sent(2, 5), sent(3, 1), sent(3, 7)
    blank = FeedbackItem(digit=1, pixels=bytes(784), received=datetime.now(UTC))
    for each in (good, damaged, one, other, blank):
        items.add(each)
    (folder / f"{damaged.name}.json").write_bytes(b"{")
    (folder / f"{'0' * 64}.json").mkdir()
    os.mkfifo(folder / f"{'1' * 64}.json")
    (folder / f"{'2' * 64}.json").symlink_to(f"{'2' * 64}.json")
    reasons = {each.name: each.reason for each in read(folder) if isinstance(each, SetAside)}
    assert reasons.pop("0" * 64) == "a folder, where a file is expected"
    assert reasons.pop("1" * 64) == "a FIFO, where a file is expected"
    assert reasons.pop("2" * 64) == "a link, where a file is expected"
    assert reasons.pop(damaged.name).startswith("the document: Invalid JSON")
    assert reasons.pop(blank.name).endswith("; discard it")
    assert reasons == {}
    sound = [each.name for each in read(folder) if isinstance(each, NewItem)]
    assert sound == sorted([good.name, one.name, other.name]), "who is right is decided where all sources are known"


def test_a_folder_that_is_not_there_yet_is_said_and_stops_nothing(folder: Path) -> None:
    said: list[str] = []
    assert read(folder, said) == []
    assert said == [f"feedback: there is no folder {folder} yet, so nothing was sent"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda at: at.write_text("a file"), "Not a directory"),
        (lambda at: at.symlink_to(at), "Too many levels of symbolic links"),
        (os.mkfifo, "Not a directory"),
    ],
)
def test_a_folder_that_cannot_be_listed_is_an_error(folder: Path, spoil: Callable[[Path], object], reason: str) -> None:
    spoil(folder)
    with pytest.raises(FeedbackError, match=f"cannot list the feedback folder {folder}: {reason}"):
        read(folder)


def test_a_folder_that_may_not_be_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FeedbackFolder(folder).add(sent(1, 4))
    forbid(folder, monkeypatch)
    with pytest.raises(FeedbackError, match=f"cannot list the feedback folder {folder}: Permission denied"):
        read(folder)
