"""Looking at one picture more closely: why a version reads it as it does, and what each layer makes of it."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.inference.answers import Answers
from core.inference.inside import Stage
from core.inference.predict import Saliency
from service.loaded import Loaded
from service.recognition.recognize import Recognition

__all__ = ["explain", "look_inside"]

T = TypeVar("T")

EXPLAIN_SECONDS = 0.005
"""How long it takes to explain what a network reads in an image, about."""

INSIDE_SECONDS = 0.005
"""How long it takes to follow an image through a network, about."""


async def explain(
    recognition: Recognition, picture: bytes | NDArray[np.uint8], digit: int | None, *, wanted: str = ""
) -> tuple[Loaded, NDArray[np.uint8], Saliency]:
    """Which pixels of a picture speak for a digit.

    Args:
        recognition: Has the versions and the threads.
        picture: A file; or a framed image, (28, 28).
        digit: The digit; None for the one that is recognized.
        wanted: As for `Recognition.images`.

    Returns:
        The version, the image as the network sees it, (28, 28), and its saliency.

    Raises:
        PictureError: There is no digit in the picture.
        CallError: As for `Recognition.images`.
    """

    def saliency(loaded: Loaded, image: NDArray[np.uint8]) -> Saliency:
        return loaded.predictor.saliency(image, digit)

    return await recognition.alone(picture, saliency, EXPLAIN_SECONDS, wanted=wanted)


async def look_inside(
    recognition: Recognition, picture: bytes | NDArray[np.uint8], form: Callable[[Stage], T], *, wanted: str = ""
) -> tuple[Loaded, NDArray[np.uint8], tuple[Answers, list[T]]]:
    """What each layer of the network makes of a picture.

    Args:
        recognition: Has the versions and the threads.
        picture: A file; or a framed image, (28, 28).
        form: Gives the form in which the output of a layer is wanted. It is called in the thread too, because such
            outputs have ten thousands of numbers, and batches must not wait for them.
        wanted: As for `Recognition.images`.

    Returns:
        The version, the image as the network sees it, (28, 28); and the answers to it, a single row, with the outputs
        of the layers.

    Raises:
        PictureError: There is no digit in the picture.
        CallError: As for `Recognition.images`.
    """

    def stages(loaded: Loaded, image: NDArray[np.uint8]) -> tuple[Answers, list[T]]:
        inside = loaded.predictor.inside(image, loaded.manifest.architecture.layers)
        return inside.answers, [form(stage) for stage in inside.stages]

    return await recognition.alone(picture, stages, INSIDE_SECONDS, wanted=wanted)
