"""What a digit is to a network: a small square gray picture, and one of ten labels."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLANK", "LABELS", "PIXELS", "SIDE"]

SIDE = 28
"""Rows of a picture, and columns."""

PIXELS = SIDE * SIDE
"""Pixels of a picture: 784."""

LABELS = tuple("0123456789")
"""What class k is called, by k."""

BLANK: NDArray[np.uint8] = np.zeros((SIDE, SIDE), np.uint8)
"""The picture in which nothing is drawn: all background, (28, 28), read-only."""
BLANK.flags.writeable = False
