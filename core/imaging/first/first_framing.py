"""Framing 1: its numbers, and its test of whether a picture is framed already."""

import numpy as np
from numpy.typing import NDArray

from core.imaging.framing import Framing, center

Gray = NDArray[np.uint8]

FIRST = Framing(version=1)


def is_framed(gray: Gray) -> bool:
    """Whether a gray picture (H, W) already is a digit as MNIST has them: light on black, 28×28, centered.

    Digits that are shifted, rotated or scaled a little, as in augmented training data, count as framed.
    """
    if gray.shape != (FIRST.size, FIRST.size):
        return False
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    rows, columns = np.nonzero(gray > 64)
    if np.mean(edge > 32) > 0.1 or not rows.size or gray.max() < 128:
        return False
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    aside = np.abs(np.array(center(gray)) - FIRST.size / 2).max()
    return bool(FIRST.box - 6 <= longer <= FIRST.box + 4 and aside <= 3.5)
