"""A picture in each of the forms that a client accepts."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from core.errors import PictureUnreadableError
from service.client import ArgumentError, PictureFileError
from service.client.pictures import picture_field
from tests.service.harness import STROKE


class Tensor:
    """An array of another library."""

    def __init__(self, array: np.ndarray | None) -> None:
        self.array = array

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if self.array is None:
            raise RuntimeError("cannot leave the other device")
        return self.array


def test_bytes_of_every_class_and_open_files_are_sent_as_they_are(png, tmp_path):
    (tmp_path / "one.png").write_bytes(png)
    with (tmp_path / "one.png").open("rb") as file:
        for picture in (png, bytearray(png), memoryview(png), BytesIO(png), file):
            assert picture_field(picture) == {"encoded": png}


def test_a_file_is_read_from_where_it_stands(png):
    file = BytesIO(b"header" + png)
    file.seek(6)
    assert picture_field(file) == {"encoded": png}


def test_what_numpy_makes_an_array_of_is_sent_like_that_array():
    assert picture_field(Tensor(STROKE)) == picture_field(STROKE) == {"pixels": STROKE.tobytes()}
    assert picture_field(Tensor(np.ones((40, 40)))) == picture_field(np.ones((40, 40)))


def test_a_photo_that_was_only_opened_is_not_decoded(png):
    assert picture_field(Image.open(BytesIO(png))) == {"encoded": png}


def test_a_file_in_text_mode_is_refused_with_the_mode_to_use(tmp_path):
    (tmp_path / "one.png").write_text("abc")
    with (tmp_path / "one.png").open() as file, pytest.raises(ArgumentError, match=r"open it in binary mode"):
        picture_field(file)


def test_the_reason_of_an_object_that_fails_is_repeated():
    with pytest.raises(PictureUnreadableError, match="Tensor: no picture can be made of it: 'cannot leave the other"):
        picture_field(Tensor(None))


def test_the_error_about_a_file_keeps_its_number_and_repeats_little_of_its_name():
    with pytest.raises(PictureFileError) as caught:
        picture_field("a/" * 5000)
    assert caught.value.errno
    assert len(str(caught.value)) < 400
