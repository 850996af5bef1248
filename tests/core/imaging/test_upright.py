"""The size of a picture as it was sent, upright."""

from io import BytesIO

import pytest
from PIL import Image

from core.imaging import decode
from core.imaging.upright import upright_size


def encoded(size: tuple[int, int], kind: str, orientation: int | None) -> bytes:
    image = Image.new("L", size, 255)
    exif = image.getexif()
    if orientation:
        exif[0x0112] = orientation
    buffer = BytesIO()
    image.save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("orientation", "wanted"), [(None, (2200, 1601)), (3, (2200, 1601)), (6, (1601, 2200))])
def test_the_size_is_that_of_the_upright_picture_before_it_was_reduced(kind, orientation, wanted):
    data = encoded((2200, 1601), kind, orientation)
    picture = decode(data)
    assert picture.size != wanted, "it was reduced"
    assert upright_size(data, picture) == wanted


def test_a_small_picture_keeps_its_size():
    data = encoded((60, 40), "PNG", None)
    assert upright_size(data, decode(data)) == (60, 40)
