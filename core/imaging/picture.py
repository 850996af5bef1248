"""All steps together: a picture, bytes or an array → the 28×28 digit."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import NoDigitError, PictureUnreadableError
from core.imaging.beside import several
from core.imaging.decode import DEFAULT_LIMITS, PictureLimits, decode
from core.imaging.dither import undithered
from core.imaging.first import first_digit
from core.imaging.framed import as_framed
from core.imaging.framing import FRAMING, LATEST, frame, is_framed
from core.imaging.gray import opaque, to_gray
from core.imaging.ink import Ink, find_ink
from core.imaging.modes import picture_from_array, plain
from core.imaging.morphology import dilation
from core.imaging.strokes import even_strokes

Digit = NDArray[np.uint8]

SEARCHED_PIXELS = 120_000  # a digit is searched at this scale …
LEGIBLE = 100  # … and again in a close-up if it has fewer pixels than this along its longer side
FINE = 8  # the width of strokes is adjusted at 8 times the final scale


def digit_from_bytes(data: bytes, *, limits: PictureLimits = DEFAULT_LIMITS, framing: int = LATEST) -> Digit:
    """The digit in an encoded picture: `to_digit(decode(data), framing)`.

    Returns:
        uint8 (28, 28), 0 is background and 255 is ink.

    Raises:
        PictureError: As `decode` and `to_digit`.
    """
    return to_digit(decode(data, limits=limits), framing)


def from_array(array: NDArray[Any], framing: int = LATEST) -> Digit:
    """The digit in an array of shape (H, W), (H, W, 3) or (H, W, 4): uint8, or floats from 0 to 1 or 0 to 255.

    Returns:
        uint8 (28, 28), 0 is background and 255 is ink.

    Raises:
        PictureUnreadableError: The array is not a picture.
        NoDigitError: Nothing is drawn in it.
    """
    return to_digit(picture_from_array(array), framing)


def from_pixels(data: bytes) -> Digit:
    """A digit that is already framed, as 784 raw bytes, row by row: uint8 (28, 28), unchanged.

    Raises:
        PictureUnreadableError: Another number of bytes.
    """
    size = FRAMING.size
    if len(data) != size * size:
        raise PictureUnreadableError(
            f"raw pixels: {len(data):,} bytes, expected {size * size} ({size} rows of {size}); "
            "send an encoded picture (PNG, JPEG, …) as a picture instead"
        )
    images = np.frombuffer(data, np.uint8).reshape(1, size, size)
    digit: Digit = as_framed(images)[0].copy()  # a copy, so that the caller may write to it
    return digit


def to_digit(picture: Image.Image, framing: int = LATEST) -> Digit:
    """Find the digit in an upright picture, and frame it as MNIST frames its digits.

    A 28×28 picture that looks like one of MNIST's is returned unchanged (or inverted, if it is black on white).

    Args:
        picture: Any size and mode; dark on light or light on dark, drawn or photographed.
        framing: The version of the framing, 1 to `LATEST`: the one that the network was published with, which
            `framing_version` finds in its manifest. The same picture gives the same digit in it for ever.

    Returns:
        uint8 (28, 28), 0 is background and 255 is ink.

    Raises:
        NoDigitError: Nothing is drawn in it, or only noise.
    """
    return FRAMINGS[framing](picture)


def latest_digit(picture: Image.Image) -> Digit:
    """`to_digit` in the latest framing.

    From its first release on, this is frozen as well: a change to it, or to a step that it uses, changes what published
    versions answer, and is a new framing.
    """
    picture = opaque(plain(picture))
    if picture.size == (FRAMING.size, FRAMING.size):
        gray = np.array(picture.convert("L"))
        for digit in (gray, 255 - gray):
            if is_framed(digit):
                return digit
    return framed(_find(undithered(picture)))


def framed(ink: Ink) -> Digit:
    """The digit that was found, as MNIST frames its digits: uint8 (28, 28), 0 is background and 255 is ink."""
    return frame(_strokes(ink))


def _find(picture: Image.Image) -> Ink:
    """The digit's ink, at the best scale that the picture's resolution allows."""
    scene, scale = at_scale(picture, SEARCHED_PIXELS)
    ink = find_ink(to_gray(scene))
    if (count := several(ink)) > 1:
        raise NoDigitError(f"{count} digits side by side, expected one; crop the picture to one digit, or ask for many")
    if scale == 1 or ink.size >= LEGIBLE:
        return ink
    left, top, right, bottom = ink.box
    margin = 0.7 * ink.size
    area = (
        max(0, round((left - margin) / scale)),
        max(0, round((top - margin) / scale)),
        min(picture.width, round((right + margin) / scale)),
        min(picture.height, round((bottom + margin) / scale)),
    )
    scene, close = at_scale(picture.crop(area), SEARCHED_PIXELS)
    try:
        better = find_ink(to_gray(scene))
    except NoDigitError:
        return ink
    same = 0.6 < (better.size / close) / (ink.size / scale) < 1.6
    return better if same else ink


def at_scale(picture: Image.Image, pixels: int) -> tuple[Image.Image, float]:
    """The picture reduced to about as many pixels, or as it is if it has fewer, and the scale factor."""
    factor = max(1, round(math.sqrt(picture.width * picture.height / pixels)))
    return picture.reduce(factor), 1 / factor


def _strokes(ink: Ink) -> NDArray[np.float32]:
    """The digit at 8 times its final size, with strokes of the usual width: share of ink per pixel, 0 … 1, (H, W)."""
    left, top, right, bottom = ink.box
    thinnest, thickest = FINE * FRAMING.thinnest, FINE * FRAMING.thickest
    # Strokes that grow or shrink on both sides move the outline but not the center line, so the latter is scaled.
    center_line = ink.size - min(ink.thickness, 0.7 * ink.size)
    scale = (FINE * FRAMING.box - (thinnest + thickest) / 2) / center_line
    # A line so thin that averaging with the paper beside it would make it almost invisible is thickened first.
    growth = max(0, math.ceil((2 / scale - ink.thickness) / 2))
    margin = growth + math.ceil(2 / scale) + 2
    height, width = ink.mask.shape
    rows = slice(max(0, top - margin), min(height, bottom + margin))
    columns = slice(max(0, left - margin), min(width, right + margin))
    # Pixels next to the digit are kept as well: their gray shows where within them the edge runs.
    contrast = ink.contrast[rows, columns] * dilation(ink.mask[rows, columns].astype(np.uint8), 1)
    outside = (
        (max(0, margin - top), max(0, bottom + margin - height)),
        (max(0, margin - left), max(0, right + margin - width)),
    )
    contrast = dilation(np.pad(contrast, outside), growth)
    width, height = (max(1, round(side * scale)) for side in (contrast.shape[1], contrast.shape[0]))
    large = np.asarray(Image.fromarray(contrast).resize((width, height), Image.Resampling.BICUBIC))
    return even_strokes(np.pad(large > ink.threshold, math.ceil(thickest)), thinnest, thickest)


FRAMINGS: dict[int, Callable[[Image.Image], Digit]] = {1: first_digit, LATEST: latest_digit}
