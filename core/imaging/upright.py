"""The size of an encoded picture as a viewer shows it: upright, and not reduced."""

from io import BytesIO

from PIL import Image

from core.imaging.decode import FORMATS


def upright_size(data: bytes, picture: Image.Image) -> tuple[int, int]:
    """The width and height, in pixels, that `decode` found in a picture before it reduced it, upright.

    Only the header is read.

    Args:
        data: The encoded picture.
        picture: What `decode` has made of it: it says whether the picture was turned by a quarter.
    """
    with Image.open(BytesIO(data), formats=FORMATS) as stored:
        width, height = stored.size
    turned = (picture.width - picture.height) * (width - height) < 0
    return (height, width) if turned else (width, height)
