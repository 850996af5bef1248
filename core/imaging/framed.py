"""Images that are framed already, in any scale and polarity → the bytes that a network was trained on.

Whoever sends 784 numbers in place of a picture has scaled them before, or has not, and has inverted them, or has not.
A network answers all of them, and is right about one. What was meant is visible in the numbers: MNIST's own images all
reach 254 of 255, and none has an edge of more than 9 on average, so the limits below leave them far behind. What is
certain is corrected; what is not is refused. Of MNIST's 70,000 images, none is altered or refused.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.digit import SIDE
from core.errors import NoDigitError, PictureUnreadableError

__all__ = ["Corrected", "as_framed", "corrected", "levels"]

Levels = NDArray[np.uint8]

UNIT = 1.002  # the highest value on the scale 0 … 1: white, and half a level of 255 for rounding
FAINT = 32  # levels: ink that differs less from its paper is drawn by nobody, or on another scale
DARK, LIGHT = 64, 192  # levels: paper below is MNIST's background, paper above is white
EVEN = 32  # levels: most of the edge lies as close to its median if all of it is paper …
MOST = 0.75  # … and this much is most of it

_NEXT_STEP = "send the picture itself (PNG, JPEG, …), in which the digit is found and framed"

# The pixels along the four edges, as indices into a flat image.
_SQUARE = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
_EDGE = np.concatenate([_SQUARE[0], _SQUARE[-1], _SQUARE[1:-1, 0], _SQUARE[1:-1, -1]])


class Corrected(NamedTuple):
    """Images as a network expects them, and what was done to make them so.

    Attributes:
        images: uint8 (N, 28, 28), 0 is background and 255 is ink.
        scaled: How many of them came on the scale 0 … 1, and were multiplied by 255.
        inverted: How many of them came as dark ink on light paper, and were inverted.
    """

    images: Levels
    scaled: int
    inverted: int


def as_framed(images: NDArray[Any]) -> Levels:
    """The images of `corrected`: `images` itself if it is right already."""
    return corrected(images).images


def corrected(images: NDArray[Any]) -> Corrected:
    """Framed images as a network expects them: 0 is background, 255 is ink.

    Args:
        images: (N, 28, 28), of any real dtype, on any scale that `levels` knows; light ink on dark paper, or dark ink
            on light paper, which is inverted.

    Returns:
        The images, which are `images` itself if it is right already; and how many of them were changed.

    Raises:
        NoDigitError: Nothing is drawn in one of them.
        PictureUnreadableError: The scale or the polarity of one of them is not certain.
    """
    scaled, units = _scaled(images)
    upright, inverted = _light_on_dark(scaled)
    return Corrected(upright, units, inverted)


def levels(images: NDArray[Any]) -> Levels:
    """Images on any scale, on the scale 0 … 255; neither their content nor their polarity is looked at.

    The scale is that of all images together: 0 … 1 if no value exceeds 1, else 0 … 255, and for integers 0 … 4095 or
    0 … 65535 (12 and 16 bits). An image of no value above 1 in a batch of a larger scale is on the scale 0 … 1 itself
    if that shows strong ink on an even edge. Else it is left as it is: on the batch's scale, nothing is drawn in it.

    Args:
        images: (N, 28, 28), of any real dtype.

    Returns:
        uint8 (N, 28, 28); `images` itself if it is uint8 and reaches 255, or nearly so.

    Raises:
        PictureUnreadableError: Other numbers.
    """
    return _scaled(images)[0]


def _scaled(images: NDArray[Any]) -> tuple[Levels, int]:
    """The images of `levels`, and how many of them were on the scale 0 … 1."""
    flat = images.reshape(len(images), -1)
    kind = images.dtype.kind
    if kind not in "buif":
        raise PictureUnreadableError(f"array: dtype {images.dtype}, expected real numbers, best uint8 from 0 to 255")
    high = flat.max(axis=1)  # (N,)
    if images.dtype == np.uint8 and high.min() > 1:
        return images, 0
    white = _white(float(flat.min()), float(high.max()), (1, 255) if kind == "f" else (1, 255, 4095, 65535))
    unit = high <= UNIT  # (N,): the images on the scale 0 … 1
    if white > 1:
        unit[unit] = [_is_drawn(image) for image in flat[unit]]
    if kind == "f" and white == 255 and not unit.any():
        scaled = images
    else:
        scaled = np.clip(images * np.where(unit, 255, 255 / white)[:, None, None], 0, 255)
    return np.rint(scaled).astype(np.uint8), int(np.count_nonzero(unit))


def _white(low: float, high: float, whites: tuple[int, ...]) -> int:
    """The level of white of numbers between `low` and `high`, which are NaN where any number is."""
    if high <= UNIT and low >= 1 - UNIT:
        return 1
    if low >= 0:
        for white in whites:
            if high <= white:
                return white
    found = "a value is NaN" if np.isnan(low) else f"values range from {low:g} to {high:g}"
    step = "; undo the normalization first" if low < 0 and high < 10 else ""
    raise PictureUnreadableError(f"{found}; expected 0 (background) to 255 (ink), or 0 to 1{step}")


def _is_drawn(image: NDArray[Any]) -> bool:
    """Whether a flat image (784,) of numbers from 0 to 1 shows strong ink on an edge that is all paper."""
    edge = image[_EDGE]
    return bool(image.max() - image.min() >= 0.5 and max(np.mean(edge <= 0.25), np.mean(edge >= 0.75)) >= MOST)


def _light_on_dark(images: Levels) -> tuple[Levels, int]:
    """Images of uint8 (N, 28, 28) with light ink on a dark background, themselves if all are; and how many were not."""
    flat = images.reshape(len(images), -1)
    dark = flat[:, _EDGE].sum(axis=1, dtype=np.uint16) < DARK * len(_EDGE)  # (N,); 108 · 255 fits
    strong = flat.max(axis=1) >= 2 * DARK
    inverted = [index for index in np.flatnonzero(~(dark & strong)) if _is_inverted(flat, int(index))]
    if not inverted:
        return images, 0
    upright = images.copy()
    upright[inverted] = 255 - images[inverted]
    return upright, len(inverted)


def _is_inverted(images: Levels, index: int) -> bool:
    """Whether one of the flat images (N, 784) shows dark ink on light paper."""
    image, which = images[index], f"image {index} of {len(images)}: " if len(images) > 1 else ""
    low, high = int(image.min()), int(image.max())
    if high - low <= 1:
        raise NoDigitError(f"{which}nothing is drawn; every pixel is {high}")
    if high - low < FAINT:
        raise PictureUnreadableError(
            f"{which}levels range from {low} to {high} of 255, in which hardly anything can be seen; "
            "expected 0 (background) to 255 (ink), or 0 to 1"
        )
    edge = image[_EDGE]
    paper = int(np.median(edge))
    if paper < DARK or np.mean(np.abs(edge.astype(np.int16) - paper) <= EVEN) < MOST:
        return False  # dark paper; or no paper at all along the edge, and then the numbers are taken at their word
    if paper >= LIGHT and np.median(image) >= 128:
        return True
    raise PictureUnreadableError(
        f"{which}the edge has level {paper} of 255, and it is not clear what is ink; expected an edge of background, 0 "
        f"(or 255, with ink of 0); {_NEXT_STEP}"
    )
