"""The drawn digits that versions are compared on: drawn once for a data folder, and never those that train."""

from pathlib import Path

import numpy as np
import pytest

from core.drawing import samples
from core.imaging import LATEST
from pipelines.promotion import slices
from tests.floats import assert_same_bits


@pytest.fixture(autouse=True)
def few_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_DRAWN_COUNT", 5)


def test_drawn_digits_are_kept_and_a_damaged_copy_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = slices.drawn(tmp_path)
    drawn_again: list[int] = []

    def digits(count: int, seed: int) -> object:
        drawn_again.append(count)
        return original(count, seed)

    original = samples.digits
    monkeypatch.setattr(samples, "digits", digits)
    assert_same_bits(slices.drawn(tmp_path).framed(LATEST), first.framed(LATEST))
    assert drawn_again == []
    [packed] = [path for path in tmp_path.iterdir() if not path.suffix]
    packed.write_bytes(packed.read_bytes()[:-1] + b"\xff")
    assert_same_bits(slices.drawn(tmp_path).framed(LATEST), first.framed(LATEST))
    assert drawn_again == [5]


def test_a_slice_is_recorded_with_its_digest_and_the_share_read_correctly(tmp_path: Path) -> None:
    found = slices.drawn(tmp_path).described(np.array([True, True, False, True, False]))
    assert (found.name, found.images, found.accuracy) == ("drawn digits", 5, 0.6)
    assert found.sha256 == slices.drawn(tmp_path).described(np.ones(5, np.bool_)).sha256


def test_where_the_note_about_kept_digits_is_damaged_they_are_drawn_again(tmp_path: Path) -> None:
    first = slices.drawn(tmp_path)
    [note] = tmp_path.glob("*.json")
    whole = note.read_bytes()
    note.write_bytes(b"{")
    assert_same_bits(slices.drawn(tmp_path).framed(LATEST), first.framed(LATEST))
    assert note.read_bytes() == whole
