"""The drawn part of the training images: digits and what is no digit, with their labels."""

import numpy as np

from core.data.labeled import Labeled
from core.digit import NO_DIGIT, SIDE
from core.drawing import samples


def drawn(digits: int, others: int, seed: int) -> Labeled:
    """So many drawn digits, and after them so many images that show no digit, labeled `NO_DIGIT`.

    Args:
        digits: How many digits.
        others: How many other images.
        seed: The same seed always gives the same images.
    """
    nothing = Labeled(np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8))
    written = samples.digits(digits, seed) if digits else nothing
    images = samples.others(others, seed) if others else nothing.images
    return written.followed_by(Labeled(images, np.full(len(images), NO_DIGIT, np.uint8)))
