"""Drawn images as a network is trained on them: simple shapes, framed as a user's picture is."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.data.labeled import Labeled
from core.digit import LABELS, SIDE
from core.imaging.framing import frame

_SEGMENTS = ((0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 1, 2), (0, 2, 1, 2), (0, 1, 0, 2), (0, 0, 0, 1), (0, 1, 1, 1))
_LIT = ("012345", "12", "01346", "01236", "1256", "02356", "023456", "012", "0123456", "012356")


def digits(count: int, seed: int) -> Labeled:
    """Digits of seven segments, in no particular order."""
    images, labels = np.empty((count, SIDE, SIDE), np.uint8), np.empty(count, np.uint8)
    for number in range(count):
        rng = np.random.default_rng((seed, 0, number))
        labels[number] = rng.integers(len(LABELS))
        corners = [_SEGMENTS[int(segment)] for segment in _LIT[labels[number]]]
        images[number] = _drawn([np.array(corner).reshape(2, 2) * 30 for corner in corners], rng)
    return Labeled(images, labels)


def others(count: int, seed: int) -> NDArray[np.uint8]:
    """Zigzags, (count, 28, 28) uint8."""
    images = np.empty((count, SIDE, SIDE), np.uint8)
    for number in range(count):
        rng = np.random.default_rng((seed, 1, number))
        images[number] = _drawn([rng.uniform(0, 60, (2, 2)) for _ in range(rng.integers(4, 9))], rng)
    return images


def _drawn(lines: list[NDArray[np.float64]], rng: np.random.Generator) -> NDArray[np.uint8]:
    page = Image.new("L", (100, 100))
    pen = ImageDraw.Draw(page)
    for line in lines:
        pen.line([tuple(point) for point in line + 20 + rng.uniform(-3, 3, (2, 2))], fill=255, width=7)
    return frame(np.asarray(page, np.float32) * np.float32(1 / 255))
