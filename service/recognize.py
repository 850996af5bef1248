"""Picture in, digit out. Knows no transport."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging import PictureLimits, digit_from_bytes, from_pixels
from service.reading import Reading
from service.store import Loaded, Store

__all__ = ["Recognition", "recognize"]


@dataclass(frozen=True)
class Recognition:
    """Recognizes pictures with whatever model is active when a call begins.

    Attributes:
        store: Holds the model.
        limits: How large a picture may be.
    """

    store: Store
    limits: PictureLimits

    def encoded(self, data: bytes) -> Reading:
        """Read the digit in a PNG, JPEG, …; takes milliseconds, so call it off the event loop.

        Raises:
            NoModelError: Nothing is loaded yet.
            PictureError: Not a picture, too large a one, or one with no digit in it.
        """
        loaded = self.store.required()
        return recognize(loaded, digit_from_bytes(data, limits=self.limits))

    def pixels(self, data: bytes) -> Reading:
        """Read a digit that is framed already: 784 bytes, row by row, 0 background to 255 ink.

        Raises:
            NoModelError: Nothing is loaded yet.
            PictureError: Another number of bytes.
        """
        loaded = self.store.required()
        return recognize(loaded, from_pixels(data))


def recognize(loaded: Loaded, image: NDArray[np.uint8]) -> Reading:
    """Ask one model about one framed digit.

    Args:
        loaded: The model.
        image: (28, 28) uint8, 0 background to 255 ink.
    """
    probabilities = loaded.predictor.probabilities(image[np.newaxis])[0]  # (10,)
    digit = int(probabilities.argmax())
    return Reading(
        digit=digit,
        confidence=float(probabilities[digit]),
        probabilities=tuple(probabilities.tolist()),
        model_version=loaded.version,
        weights_sha256=loaded.weights_sha256,
    )
