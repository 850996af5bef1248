"""All the digits in one picture, each with its place."""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.digit import SIDE
from core.imaging import PictureLimits, decode
from core.imaging.upright import upright_size
from core.inference.answers import Answers
from core.inference.several import read_many
from service.loaded import Loaded
from service.recognition.answer import Answer, reading
from service.wire import Box, Found

__all__ = ["Many", "many_in"]


@dataclass(frozen=True, eq=False)
class Many:
    """The digits that one version has found in a picture, line by line from the left.

    Attributes:
        answer: The answer, with a row for each digit.
        boxes: Where each digit lies, in pixels of the upright picture as it was sent.
        images: (N, 28, 28), the digits as the network saw them.
        size: Width and height of the upright picture as it was sent.
    """

    answer: Answer
    boxes: tuple[Box, ...]
    images: NDArray[np.uint8]
    size: tuple[int, int]

    def found(self) -> list[Found]:
        """The digits in the form that clients see."""
        return [Found(box, reading(self.answer, row)) for row, box in enumerate(self.boxes)]


def many_in(source: bytes | NDArray[np.uint8], loaded: Loaded, limits: PictureLimits) -> Many:
    """Decode a picture, find the digits in it, and read them. May be called from any thread.

    Args:
        source: An encoded picture, or the pixels of a gray one, (28, 28), 0 background to 255 ink.
        loaded: The version that reads them.
        limits: How large the picture may be.

    Raises:
        PictureError: It cannot be read, or no digit is found in it.
    """
    if isinstance(source, bytes):
        picture = decode(source, limits=limits)
        size = upright_size(source, picture)
    else:
        picture = Image.fromarray(source)
        size = picture.size
    found = read_many(picture, loaded.predictor, framing=loaded.framing)
    labels = len(loaded.manifest.labels)
    rows = Answers(
        np.array([each.probabilities for each in found], np.float32).reshape(-1, labels),
        np.array([each.digitness for each in found], np.float32),
        np.array([each.rejected for each in found], np.bool_),
    )
    images = np.array([each.image for each in found], np.uint8).reshape(-1, SIDE, SIDE)
    boxes = tuple(_scaled(Box(*each.box), picture.size, size) for each in found)
    return Many(Answer(loaded, rows), boxes, images, size)


def _scaled(box: Box, size: tuple[int, int], upright: tuple[int, int]) -> Box:
    """A box in a picture of one size, in pixels of the same picture in another size; it does not cut off any ink."""
    across, down = (full / reduced for full, reduced in zip(upright, size, strict=True))
    return Box(
        floor(box.left * across),
        floor(box.top * down),
        min(ceil(box.right * across), upright[0]),
        min(ceil(box.bottom * down), upright[1]),
    )
