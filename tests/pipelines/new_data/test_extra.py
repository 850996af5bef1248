"""A folder of labeled pictures: every form is read, and nothing in it stops the others."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import idx
from core.imaging import digit_from_bytes
from pipelines.new_data.extra import read_extra
from pipelines.new_data.framed_files import FramedFiles
from pipelines.new_data.item import NewItem, SetAside

from .given import digit, label, save, save_pair


def read(folder: Path, said: list[str] | None = None) -> list[NewItem | SetAside]:
    messages = said if said is not None else []
    return list(read_extra(folder, FramedFiles(folder.parent / "framed"), messages.append))


def places(found: list[NewItem | SetAside]) -> dict[str, int | str]:
    return {each.place: each.label if isinstance(each, NewItem) else each.reason for each in found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "extra"


def test_every_form_in_one_folder_is_read(folder: Path) -> None:
    save(1, folder / "7" / "a.png")
    save(2, folder / "3_b.png")
    save_pair(range(3, 6), folder / "idx", suffix=".gz")
    found = read(folder)
    assert places(found) == {
        "3_b.png": 3,
        "7/a.png": 7,
        "idx/some-images-idx3-ubyte.gz[0]": label(3),
        "idx/some-images-idx3-ubyte.gz[1]": label(4),
        "idx/some-images-idx3-ubyte.gz[2]": label(5),
    }
    assert {each.source for each in found} == {f"extra {folder}"}


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif", "webp", "tiff", "pgm", "nothing known"])
def test_a_picture_is_framed_as_the_service_frames_it_in_any_format(folder: Path, suffix: str) -> None:
    file = folder / "7" / f"a.{suffix}"
    file.parent.mkdir(parents=True)
    paper = Image.fromarray(np.kron(255 - digit(1), np.ones((5, 5), np.uint8)))
    paper.save(file, format="png" if suffix == "nothing known" else None)
    [found] = read(folder)
    assert isinstance(found, NewItem)
    np.testing.assert_array_equal(found.image, digit_from_bytes(file.read_bytes()))


def test_what_shows_no_digit_or_is_no_picture_is_set_aside_with_a_reason(folder: Path) -> None:
    save(1, folder / "7" / "good.png")
    Image.new("L", (90, 90), 255).save(folder / "7" / "blank.png")
    (folder / "7" / "notes.txt").write_text("hello")
    (folder / "7" / "empty.png").touch()
    (folder / "7" / "half.png").write_bytes((folder / "7" / "good.png").read_bytes()[:150])
    (folder / "README.md").write_text("mine")
    os.truncate(save(2, folder / "7" / "large.png"), 2**34)  # a hole, which takes no space
    os.mkfifo(folder / "7" / "fifo.png")
    (folder / "7" / "endless.png").symlink_to("/dev/zero")
    found = places(read(folder))
    assert found.pop("7/good.png") == 7
    for place, words in {
        "7/blank.png": "no digit found",
        "7/notes.txt": "not a picture that can be read: 5 bytes that begin like text",
        "7/empty.png": "not a picture that can be read: 0 bytes",
        "7/half.png": "damaged picture",
        "README.md": "it is not clear which digit it shows",
        "7/large.png": "17,179,869,184 bytes, expected at most 10,485,760",
        "7/fifo.png": "a FIFO, where a file is expected",
        "7/endless.png": "a link, where a file is expected",
    }.items():
        assert words in str(found.pop(place))
    assert found == {}


def test_one_bad_image_in_a_pair_is_set_aside_alone(folder: Path) -> None:
    folder.mkdir()
    images = np.stack([digit(0), np.zeros((28, 28), np.uint8), digit(2), 255 - digit(3)])
    idx.write(folder / "some-images-idx3-ubyte", images)
    idx.write(folder / "some-labels-idx1-ubyte", np.array([1, 2, 10, 4], np.int32))
    found = read(folder)
    assert places(found) == {
        "some-images-idx3-ubyte[0]": 1,
        "some-images-idx3-ubyte[3]": 4,
        "some-images-idx3-ubyte[1]": "nothing is drawn; every pixel is 0",
        "some-images-idx3-ubyte[2]": "its label is 10, expected a digit from 0 to 9",
    }
    upright = [each.image for each in found if isinstance(each, NewItem)]
    np.testing.assert_array_equal(upright, [digit(0), digit(3)])


def test_images_of_another_size_in_a_pair_are_framed(folder: Path) -> None:
    folder.mkdir()
    idx.write(folder / "some-images-idx3-ubyte", np.kron(digit(1), np.ones((1, 4, 4), np.uint8)))
    idx.write(folder / "some-labels-idx1-ubyte", np.array([5], np.uint8))
    [found] = read(folder)
    assert isinstance(found, NewItem)
    assert found.image.shape == (28, 28)


def test_the_same_pictures_elsewhere_have_the_same_names(folder: Path, tmp_path: Path) -> None:
    for parent in (folder, tmp_path / "elsewhere" / "deep"):
        save(1, parent / "7" / "a.png")
        save(2, parent / "3_b.png")
    names = [[each.name for each in read(at) if isinstance(each, NewItem)] for at in (folder, tmp_path / "elsewhere")]
    assert sorted(names[0]) == sorted(names[1])


def test_a_name_in_another_encoding_is_read_and_shown(folder: Path) -> None:
    save(1, folder / "7" / "a.png")
    odd = Path(os.fsdecode(os.fsencode(folder / "7" / "b") + b"\xff\n.png"))
    (folder / "7" / "a.png").rename(odd)
    assert places(read(folder)) == {"7/b\\udcff\\n.png": 7}


def test_long_work_says_how_far_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.new_data.extra._TOLD_AFTER", 2)
    for number in range(5):
        save(number, folder / f"7_{number}.png")
    said: list[str] = []
    read(folder, said)
    assert said == [f"new data: {done} of 5 files in {folder} are read" for done in (2, 4)]
    read(folder, said)
    assert len(said) == 2, "nothing is read again"
