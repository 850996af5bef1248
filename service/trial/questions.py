"""What a service on trial is asked: pictures made of the golden images of a version, so that they come with it.

No other pictures are at hand everywhere: a service has no data set. Each golden image is shifted, enlarged and drawn
dark on light, as a client that scans paper would send it; every second picture is sent as pixels instead.
"""

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Golden
from core.imaging.encode import encoded

__all__ = ["Picture", "pictures_like"]

Picture = bytes | NDArray[np.uint8]
"""A PNG file, or a (28, 28) image."""

_SHIFTS = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
"""Rows and columns by which an image is shifted, in turn."""

_SCALE = 4
"""Pixels of a picture for each pixel of an image, on a side."""

_MARGIN = 28
"""Pixels of paper around it."""


def pictures_like(golden: Golden, count: int) -> list[Picture]:
    """Different pictures that show what the golden images show, as long as there are enough shifts.

    Args:
        golden: The images of a version.
        count: How many pictures.
    """
    images, _ = golden.arrays()  # (G, 28, 28)
    pictures: list[Picture] = []
    for number in range(count):
        turn, image = divmod(number, len(images))
        shifted = np.roll(images[image], _SHIFTS[turn % len(_SHIFTS)], axis=(0, 1))
        pictures.append(_on_paper(shifted) if (turn + image) % 2 == 0 else shifted)
    return pictures


def _on_paper(image: NDArray[np.uint8]) -> bytes:
    """A PNG of an image, enlarged and with a margin: ink is dark, and paper is light."""
    enlarged = np.kron(image, np.ones((_SCALE, _SCALE), np.uint8))  # (112, 112)
    return encoded(255 - np.pad(enlarged, _MARGIN))
