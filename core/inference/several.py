"""The digits in one picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.imaging import to_digit
from core.inference.predict import Predictor


@dataclass(frozen=True, eq=False)
class Found:
    """A digit that was found in a picture.

    Attributes:
        box: Left, top, right and bottom, in pixels of the picture; right and bottom are the first ones outside.
        digit: The most probable digit.
        confidence: The probability of `digit`.
        probabilities: (K,) float32, the probability of each class.
        digitness: The probability that this is a digit at all.
        rejected: Whether the version refuses to take it for a digit.
        image: (28, 28) uint8, as the network saw it.
    """

    box: tuple[int, int, int, int]
    digit: int
    confidence: float
    probabilities: NDArray[np.float32]
    digitness: float
    rejected: bool
    image: NDArray[np.uint8]


def read_many(picture: Image.Image, predictor: Predictor) -> list[Found]:
    """Find the digits in an upright picture, and read them.

    Raises:
        NoDigitError: Nothing is drawn in it, or only noise.
    """
    image = to_digit(picture)
    answers = predictor.answers(image[np.newaxis])
    [probabilities] = answers.probabilities
    digit = int(probabilities.argmax())
    return [
        Found(
            box=(0, 0, picture.width, picture.height),
            digit=digit,
            confidence=float(probabilities[digit]),
            probabilities=probabilities,
            digitness=float(answers.digitness[0]),
            rejected=bool(answers.rejected[0]),
            image=image,
        )
    ]
