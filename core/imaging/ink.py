"""Ink on paper: which pixels of a gray picture belong to the digit, and whether there is a digit at all."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.errors import NoDigitError
from core.imaging.candidates import Ink, candidates
from core.imaging.paper import views
from core.imaging.shade import without_shade

__all__ = ["Ink", "find_ink"]

Gray = NDArray[np.uint8]


def find_ink(gray: Gray, *, opened: int = 2) -> Ink:
    """Find the digit in a gray picture, uint8 (H, W): dark ink on light paper, or the reverse.

    If that is a rectangle with something in it (a drawn frame, a page on a desktop), the search continues inside, at
    most `opened` times.

    Raises:
        NoDigitError: Nothing is drawn, or only noise.
    """
    readings: list[Ink | str] = []
    for view in views(gray):
        readings += candidates(view)
        if view.decisive and any(isinstance(reading, Ink) and reading.certain for reading in readings):
            break
    digits = [reading for reading in readings if isinstance(reading, Ink)]
    if not digits:
        found = "; ".join(dict.fromkeys(str(reading) for reading in readings))
        raise NoDigitError(
            f"no digit found: gray levels {gray.min()} to {gray.max()}, {found}; "
            "write one digit, dark on light or light on dark, and let it fill more of the picture"
        )
    best = without_shade(gray, max(digits, key=lambda ink: ink.score))
    return (opened and _framed(gray, best, opened - 1)) or best


def _framed(gray: Gray, ink: Ink, opened: int) -> Ink | None:
    """The digit inside `ink`, if that is a rectangle with something in it."""
    left, top, right, bottom = ink.box
    drawn = ink.mask[top:bottom, left:right]
    border = math.ceil(min(ink.thickness, 3 + 0.03 * ink.size))
    margin = border + 2
    sides = (drawn[:border], drawn[-border:], drawn[:, :border].T, drawn[:, -border:].T)
    if min(drawn.shape) <= 4 * margin or min(side.any(axis=0).mean() for side in sides) < 0.85:
        return None
    left, top, right, bottom = left + margin, top + margin, right - margin, bottom - margin
    try:
        inner = find_ink(gray[top:bottom, left:right], opened=opened)
    except NoDigitError:
        return None
    outside = ((top, gray.shape[0] - bottom), (left, gray.shape[1] - right))
    return replace(
        inner,
        contrast=np.pad(inner.contrast, outside),
        mask=np.pad(inner.mask, outside),
        box=(inner.box[0] + left, inner.box[1] + top, inner.box[2] + left, inner.box[3] + top),
        parts=None,
    )
