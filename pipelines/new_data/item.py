"""One new picture with the digit that it is said to show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class NewItem:
    """A picture that may be trained on in addition to MNIST's.

    Attributes:
        image: (28, 28) uint8, 0 background to 255 ink.
        label: The digit that it is said to show, 0 to 9.
        source: Where it comes from, for people: a word and a path.
        name: The sha256 of the image's bytes and the digit, as `core.feedback_item.FeedbackItem.name`.
    """

    image: NDArray[np.uint8]
    label: int
    source: str
    name: str
