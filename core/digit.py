"""What a digit is to a network: a small square gray picture, and one of ten labels. No digit has an eleventh."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLANK", "LABELS", "NO_DIGIT", "PIXELS", "SIDE"]

SIDE = 28
"""Rows of a picture, and columns."""

PIXELS = SIDE * SIDE
"""Pixels of a picture: 784."""

LABELS = tuple("0123456789")
"""What class k is called, by k."""

NO_DIGIT = len(LABELS)
"""The label of a training image that shows no digit: 10, one past those of the digits."""

BLANK: NDArray[np.uint8] = np.zeros((SIDE, SIDE), np.uint8)
"""The picture in which nothing is drawn: all background, (28, 28), read-only."""
BLANK.flags.writeable = False
