"""A folder of people's own pictures: which are read, and what is left out."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import mnist
from core.errors import ConfigError
from core.imaging import LATEST, digit_from_bytes
from core.shipped import ROOT
from pipelines.promotion.handwriting import read
from pipelines.promotion.slices import Pictures
from tests.floats import assert_same_bits

SEVEN = (ROOT / "examples" / "seven.png").read_bytes()


def folder_of(tmp_path: Path, **pictures: bytes) -> Path:
    folder = tmp_path / "mine"
    for name, data in pictures.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def png(tmp_path: Path, row: int) -> bytes:
    """A test image of MNIST, enlarged, as a picture."""
    image = Image.fromarray(mnist.load(ROOT / "data" / "mnist").test_images[row]).resize((112, 112))
    path = tmp_path / f"{row}.png"
    image.save(path)
    return path.read_bytes()


def found(folder: Path, trained: frozenset[bytes] = frozenset()) -> tuple[Pictures | None, list[str]]:
    said: list[str] = []
    return read(folder, lambda: trained, said.append), said


def test_pictures_are_read_from_folders_and_names_and_framed_as_served(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"7__any.png": SEVEN, "2_mine.png": png(tmp_path, 1), "readme.txt": b"not mine"})
    pictures, said = found(folder)
    assert pictures is not None
    assert (pictures.labels.tolist(), said) == ([2, 7], [])
    for framing in range(1, LATEST + 1):  # each version sees them in its own
        assert_same_bits(pictures.framed(framing)[1], digit_from_bytes(SEVEN, framing=framing))
    described = pictures.described(np.array([True, False]))
    assert (described.name, described.images, described.accuracy) == ("handwriting", 2, 0.5)


def test_what_is_no_picture_is_left_out_and_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"7_ok.png": SEVEN, "3_bad.png": b"no picture", "4__x": b""})
    os.mkfifo(folder / "5_pipe")
    (folder / "6_link.png").symlink_to("/dev/zero")
    (folder / "8").symlink_to(folder)
    pictures, said = found(folder)
    assert pictures is not None
    assert pictures.labels.tolist() == [7]
    assert any("3_bad.png" in line for line in said)
    assert f"handwriting ignored: {folder / '5_pipe'}: a FIFO, where a file is expected" in said
    assert f"handwriting ignored: {folder / '6_link.png'}: a link, where a file is expected" in said
    assert f"handwriting ignored: {folder / '8'}: a link, where a folder is expected" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("mode", [0o000, 0o600], ids=["unreadable", "not to be entered"])
def test_a_folder_of_one_digit_that_cannot_be_used_is_left_out_and_named(tmp_path: Path, mode: int) -> None:
    folder = folder_of(tmp_path, **{"7__ok.png": SEVEN, "4__a.png": SEVEN})
    (folder / "4").chmod(mode)
    try:
        pictures, said = found(folder)
    finally:
        (folder / "4").chmod(0o700)
    assert pictures is not None
    assert pictures.labels.tolist() == [7]
    [line] = said
    assert line.startswith(f"handwriting ignored: {folder / '4'}")
    assert line.endswith(": cannot be read: Permission denied")


def test_an_earlier_framing_reads_the_files_again_and_one_that_is_gone_is_blank(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"7_a.png": SEVEN, "2_b.png": png(tmp_path, 1)})
    pictures, _ = found(folder)
    assert pictures is not None
    latest = pictures.framed(LATEST)
    (folder / "7_a.png").unlink()
    earlier = pictures.framed(1)
    assert_same_bits(earlier[1], np.zeros((28, 28), np.uint8))
    assert earlier[0].any()
    assert_same_bits(pictures.framed(LATEST), latest)


def test_copies_count_once_and_contradicted_pictures_not_at_all(tmp_path: Path) -> None:
    two = png(tmp_path, 1)
    folder = folder_of(tmp_path, **{"7_a.png": SEVEN, "7_b.png": SEVEN, "2_c.png": two, "3_d.png": two})
    pictures, said = found(folder)
    assert pictures is not None
    assert pictures.labels.tolist() == [7]
    assert any("another file says 2 of the same picture" in line for line in said)


def test_pictures_that_the_challenger_was_trained_on_are_left_out(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, **{"7_a.png": SEVEN})
    pictures, said = found(folder, frozenset([digit_from_bytes(SEVEN).tobytes()]))
    assert pictures is None
    assert said[0] == "handwriting ignored: 1 of its pictures are among the training images"


def test_a_folder_that_is_not_there_is_named_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the handwriting folder .*/none cannot be read: .*7/any.png"):
        found(tmp_path / "none")
