"""All steps of framing 1 together: a picture → the 28×28 digit."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import NoDigitError
from core.imaging.first.first_framing import FIRST, is_framed
from core.imaging.first.first_ink import Ink, find_ink
from core.imaging.framing import frame
from core.imaging.gray import opaque, to_gray
from core.imaging.modes import plain
from core.imaging.morphology import dilation
from core.imaging.strokes import even_strokes

Digit = NDArray[np.uint8]

SEARCHED_PIXELS = 256_000  # a digit is searched at this scale …
LEGIBLE = 120  # … and again in a close-up if it has fewer pixels than this along its longer side
FINE = 8  # the width of strokes is adjusted at 8 times the final scale


def first_digit(picture: Image.Image) -> Digit:
    """Find the digit in an upright picture, and frame it as MNIST frames its digits.

    A 28×28 picture that looks like one of MNIST's is returned unchanged (or inverted, if it is black on white).

    Args:
        picture: Any size and mode; dark on light or light on dark, drawn or photographed.

    Returns:
        uint8 (28, 28), 0 is background and 255 is ink.

    Raises:
        NoDigitError: Nothing is drawn in it, or only noise.
    """
    picture = opaque(plain(picture))
    if picture.size == (FIRST.size, FIRST.size):
        gray = np.array(picture.convert("L"))
        for digit in (gray, 255 - gray):
            if is_framed(digit):
                return digit
    return frame(_strokes(_find(picture)))


def _find(picture: Image.Image) -> Ink:
    """The digit's ink, at the best scale that the picture's resolution allows."""
    scene, scale = _at_scale(picture, SEARCHED_PIXELS)
    ink = find_ink(to_gray(scene))
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
    scene, close = _at_scale(picture.crop(area), SEARCHED_PIXELS)
    try:
        better = find_ink(to_gray(scene))
    except NoDigitError:
        return ink
    same = 0.6 < (better.size / close) / (ink.size / scale) < 1.6
    return better if same else ink


def _at_scale(picture: Image.Image, pixels: int) -> tuple[Image.Image, float]:
    """The picture reduced to about as many pixels, or as it is if it has fewer, and the scale factor."""
    scale = min(1.0, math.sqrt(pixels / (picture.width * picture.height)))
    if scale == 1:
        return picture, scale
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BOX), scale


def _strokes(ink: Ink) -> NDArray[np.float32]:
    """The digit at 8 times its final size, with strokes of the usual width: share of ink per pixel, 0 … 1, (H, W)."""
    left, top, right, bottom = ink.box
    thinnest, thickest = FINE * FIRST.thinnest, FINE * FIRST.thickest
    # Strokes that grow or shrink on both sides move the outline but not the center line, so the latter is scaled.
    center_line = ink.size - min(ink.thickness, 0.7 * ink.size)
    scale = (FINE * FIRST.box - (thinnest + thickest) / 2) / center_line
    # Pixels next to the digit are kept as well: their gray shows where within them the edge runs.
    contrast = ink.contrast * dilation(ink.mask.astype(np.uint8), 1)
    # A line so thin that averaging with the paper beside it would make it almost invisible is thickened first.
    growth = max(0, math.ceil((2 / scale - ink.thickness) / 2))
    margin = growth + math.ceil(2 / scale) + 2
    contrast = np.pad(contrast, margin)[top : bottom + 2 * margin, left : right + 2 * margin]
    contrast = dilation(contrast, growth)
    width, height = (max(1, round(side * scale)) for side in (contrast.shape[1], contrast.shape[0]))
    large = np.asarray(Image.fromarray(contrast).resize((width, height), Image.Resampling.BICUBIC))
    return even_strokes(np.pad(large > ink.threshold, math.ceil(thickest)), thinnest, thickest)
