"""The feedback folder: what is put there stays, once, and nothing else gets in or out."""

import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import DamagedFeedbackError, FeedbackError, FeedbackNotFoundError
from core.feedback import ABANDONED_AFTER, FeedbackFolder, FeedbackItem

from .artifact.forbidden import forbid

STROKE = np.zeros((28, 28), np.uint8)
STROKE[4:24, 12:16] = 255


def item(seed: int = 1, digit: int = 4, **fields: object) -> FeedbackItem:
    pixels = np.random.default_rng(seed).integers(0, 256, 784, np.uint8).tobytes()
    return FeedbackItem(**{"digit": digit, "pixels": pixels, "received": datetime.now(UTC)} | fields)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> FeedbackFolder:
    return FeedbackFolder(tmp_path / "feedback")


def test_an_item_comes_back_as_it_was(folder: FeedbackFolder) -> None:
    sent = item(original=b"\x89PNG\x00\xff", reply_id="ab")
    assert folder.add(sent)
    assert folder.names() == [sent.name]
    assert folder.read(sent.name) == sent
    assert list(folder.sound()) == [sent]
    assert sent.image().tobytes() == sent.pixels


def test_the_same_picture_and_digit_is_one_item_whatever_else_is_given(folder: FeedbackFolder) -> None:
    assert folder.add(item(reply_id="first"))
    assert not folder.add(item(reply_id="second", original=b"another file"))
    assert folder.read(item().name).reply_id == "first"


def test_many_writers_at_once_leave_complete_items_and_nothing_else(folder: FeedbackFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda n: folder.add(item(n % 5)), range(40)))
    assert sum(added) >= 5
    assert sorted(path.name for path in folder.path.iterdir()) == sorted(f"{item(n).name}.json" for n in range(5))
    assert len(list(folder.sound())) == 5


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (bytes(784), "nothing is drawn; every pixel is 0; discard it"),
        (bytes([3, 9] * 392), "hardly anything can be seen"),
        ((STROKE // 255).tobytes(), "its pixels are on the scale 0 to 1"),
        ((255 - STROKE).tobytes(), "its pixels are dark on light"),
    ],
)
def test_an_item_of_what_recognition_refuses_or_corrects_teaches_nothing(
    folder: FeedbackFolder, pixels: bytes, words: str
) -> None:
    folder.add(item(pixels=pixels))
    [error] = folder.sound()
    assert words in str(error)


def test_contradicting_items_are_unusable_until_one_of_them_is_discarded(folder: FeedbackFolder) -> None:
    one, seven = item(digit=1), item(digit=7)
    folder.add(one)
    folder.add(seven)
    errors = list(folder.sound())
    assert all(isinstance(error, DamagedFeedbackError) for error in errors)
    assert {"says 1, and another item says 7", "says 7, and another item says 1"} == {
        str(error).partition(": ")[2].partition(" of")[0] for error in errors
    }
    folder.discard(one.name)
    assert list(folder.sound()) == [seven]


def test_a_discarded_item_cannot_be_added_again(folder: FeedbackFolder) -> None:
    folder.add(item())
    folder.discard(item().name)
    assert folder.names() == []
    assert not folder.add(item())
    assert folder.names() == []
    with pytest.raises(FeedbackNotFoundError):
        folder.discard(item().name)


@pytest.mark.parametrize("spoil", [os.mkfifo, lambda at: at.symlink_to(at.name), lambda at: at.write_bytes(b"{")])
def test_what_is_no_item_can_be_discarded_as_an_item_can(
    folder: FeedbackFolder, spoil: Callable[[Path], object]
) -> None:
    folder.path.mkdir()
    odd = folder.path / f"{'0' * 64}.json"
    spoil(odd)
    folder.discard(odd.stem)
    assert folder.names() == []
    assert not os.path.lexists(odd)


def test_a_folder_under_the_name_of_an_item_is_left_and_keeps_no_item_out(folder: FeedbackFolder) -> None:
    odd = folder.path / f"{item().name}.json"
    odd.mkdir(parents=True)
    with pytest.raises(DamagedFeedbackError, match=f"{odd}: a folder, where a file is expected; remove it by hand"):
        folder.discard(item().name)
    odd.rmdir()
    assert folder.add(item())


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"digit":4', '"digit":5'),
        lambda text: text.replace('"digit":4', '"digit":44'),
        lambda text: text.replace('"schema_version":1', '"schema_version":2'),
        lambda text: text.replace('"pixels":"', '"pixels":"AAAA'),
        lambda text: "",
        lambda text: "null",
    ],
)
def test_a_file_that_does_not_hold_what_its_name_says_is_named(folder: FeedbackFolder, damage: object) -> None:
    folder.add(item())
    file = folder.path / f"{item().name}.json"
    file.write_text(damage(file.read_text()))  # type: ignore[operator]
    [error] = folder.sound()
    assert isinstance(error, DamagedFeedbackError)
    assert str(file) in str(error)
    assert "\n" not in str(error)


def test_a_file_that_is_far_too_large_is_refused_without_being_read(folder: FeedbackFolder) -> None:
    folder.add(item())
    with (folder.path / f"{item().name}.json").open("r+b") as file:
        file.truncate(6 * 2**30)  # a sparse file
    with pytest.raises(DamagedFeedbackError, match="6,442,450,944 bytes, expected at most"):
        folder.read(item().name)


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (lambda at: at.mkdir(), "a folder, where a file is expected"),
        (os.mkfifo, "a FIFO, where a file is expected"),
        (lambda at: at.symlink_to(at.name), "a link, where a file is expected"),
        (lambda at: at.symlink_to("/dev/zero"), "a link, where a file is expected"),
        (lambda at: at.symlink_to(f"{item(2).name}.json"), "a link, where a file is expected"),
        (lambda at: at.write_bytes(b"[" * 100_000), "the document: Invalid JSON"),
    ],
)
def test_what_is_no_file_under_the_name_of_an_item_is_named_and_stops_no_other(
    folder: FeedbackFolder, spoil: Callable[[Path], object], finding: str
) -> None:
    folder.add(item(2))
    odd = folder.path / f"{'0' * 64}.json"
    spoil(odd)
    error, sound = folder.sound()
    assert isinstance(error, DamagedFeedbackError)
    assert str(error).startswith(f"{odd}: {finding}")
    assert sound == item_of(folder, 1)


def test_an_item_that_may_not_be_read_stops_no_other(folder: FeedbackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (1, 2):
        folder.add(item(seed))
    hidden, shown = folder.names()
    forbid(folder.path / f"{hidden}.json", monkeypatch)
    error, sound = folder.sound()
    assert "cannot be read: Permission denied" in str(error)
    assert isinstance(sound, FeedbackItem)
    assert sound.name == shown


def test_a_failing_storage_is_no_fault_of_an_item(folder: FeedbackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.add(item())

    def stale(*_: object) -> int:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(os, "open", stale)
    with pytest.raises(FeedbackError, match="cannot read the feedback folder .*: Stale file handle") as caught:
        folder.read(item().name)
    assert type(caught.value) is FeedbackError


@pytest.mark.parametrize(
    "name", ["", "..", "../secret", "/etc/passwd", "A" * 64, "a" * 63, "a" * 65, "discarded", "é" * 64]
)
def test_a_malformed_name_does_not_lead_out_of_the_folder(folder: FeedbackFolder, name: str) -> None:
    folder.add(item())
    for act in (folder.read, folder.discard):
        with pytest.raises(FeedbackNotFoundError):
            act(name)


def test_files_that_are_no_items_are_ignored(folder: FeedbackFolder) -> None:
    folder.add(item())
    (folder.path / "README.txt").write_text("mine")
    (folder.path / "notes.json").write_text("{}")
    assert list(folder.sound()) == [item_of(folder, 0)]
    assert (folder.path / "README.txt").exists()


def item_of(folder: FeedbackFolder, index: int) -> FeedbackItem:
    return folder.read(folder.names()[index])


def test_size_counts_all_items_and_removes_what_killed_writers_left(folder: FeedbackFolder) -> None:
    assert folder.size() == 0
    folder.add(item())
    size = (folder.path / f"{item().name}.json").stat().st_size
    fresh, earlier = folder.path / ".fresh.tmp", folder.path / ".old.tmp"  # as earlier versions called them
    old = folder.path / f".{item(2).name}.json.0123456789abcdef.tmp"
    for file in (fresh, earlier, old):
        file.write_bytes(b"half")
    long_ago = time.time() - ABANDONED_AFTER - 60
    for file in (earlier, old):
        os.utime(file, (long_ago, long_ago))
    assert folder.size() == size + 4
    assert fresh.exists()
    assert not earlier.exists()
    assert not old.exists()


def test_measuring_removes_nothing_that_others_have_put_there(folder: FeedbackFolder) -> None:
    folder.add(item())
    size = folder.size()
    hidden = [folder.path / name for name in (".snapshot", ".git", ".a folder.tmp")]
    for each in hidden:
        each.mkdir()
    foreign = [folder.path / name for name in (".gitkeep", ".nfs000000000000000100000001", "notes.tmp")]
    for each in foreign:
        each.write_bytes(b"mine")
    for each in hidden + foreign:
        os.utime(each, (0, 0))
    assert folder.size() == size + 4 * len(foreign)
    assert all(each.exists() for each in hidden + foreign)


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = FeedbackFolder(tmp_path / "file")
    for act in (lambda: folder.add(item()), folder.names):
        with pytest.raises(FeedbackError, match=f"the feedback folder {tmp_path / 'file'}: "):
            act()
