"""Writing on paper: all the strokes of a gray picture that may belong to digits, where `ink` looks for one digit."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.imaging.candidates import (
    LEAST_CONTRAST,
    LEAST_SHARE,
    LEAST_SIGNAL,
    LEAST_SIZE,
    MOST_STROKES,
    MOST_WINDING,
    SLENDER,
    Ink,
    strength,
    threshold_of,
)
from core.imaging.components import Components, components
from core.imaging.ink import find_ink
from core.imaging.paper import View, views
from core.imaging.ruling import without_lines

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_CLEAN_SHARE = 0.9  # of the digits in all the ink found
BLOB = 0.42  # stroke width over the longer side: a disk has 0.5, a square 0.64, a short and fat 1 at most 0.35
LEAST_STRENGTH = 0.4  # of a stroke's mean contrast, relative to the strongest stroke
LEAST_HEIGHT = 0.25  # of a digit, relative to the tallest one: smaller print is a page number, a date, a brand
MOST_INSIDE = 8  # strokes inside one that is not a frame
MOST_FRAMES = 64  # the tallest strokes are looked at for whether they are frames
LYING = 1.3  # width over height: a wider stroke is a hyphen or a line, unless …
LEAST_WINDING_LYING = 1.5  # … it is so many times longer than wide, as digits that touch are
MOST_WINDING_BESIDE = 6.0  # length over width of digits that touch; touching 8s have about 5
ENCLOSED = 1.5  # a stroke that encloses digits and is so many times taller is a frame, a table or a circle around them


@dataclass(frozen=True, eq=False)
class Writing:
    """The strokes in a picture of shape (H, W).

    Attributes:
        contrast: Ink against paper, float32 (H, W); 0 is bare paper.
        threshold: Contrast from which a pixel counts as ink.
        parts: The C connected components of the ink.
        bodies: Which of them may be digits, or several digits that touch, (C,).
        strokes: Which of them are strong enough to be a part of a digit, such as the roof of a 5, (C,).
        score: How much the best of them looks like a digit; comparable only within one picture.
    """

    contrast: Floats
    threshold: float
    parts: Components
    bodies: Mask
    strokes: Mask
    score: float


def find_writing(gray: Gray) -> Writing:
    """Find all strokes in a gray picture, uint8 (H, W): dark ink on light paper, or the reverse.

    Raises:
        NoDigitError: Nothing is written, or there is only noise.
    """
    # A view for a digit that fills the picture holds no second one.
    found = [writing for view in views(gray) if not view.cropped and (writing := _read(view))]
    return max(found, key=lambda writing: writing.score) if found else _alone(find_ink(gray))


def _alone(ink: Ink) -> Writing:
    """One digit as writing, where no stroke is like those of digits in a row: a broad brush, a sheet on a table."""
    parts = components(ink.mask, ink.contrast)
    return Writing(ink.contrast, ink.threshold, parts, parts.area == parts.area.max(), parts.area > 0, ink.score)


def _read(view: View) -> Writing | None:
    """The strokes in one view, or None if it holds none."""
    if lines := without_lines(view.contrast):
        view = replace(view, contrast=lines.contrast)
    threshold = threshold_of(view)
    return None if threshold is None else strokes_in(view.contrast, threshold, view.weight, view.prior)


def strokes_in(contrast: Floats, threshold: float, weight: Floats, prior: float = 1.0) -> Writing | None:
    """The strokes where `contrast`, (H, W), exceeds `threshold`; None if none of them can be a digit.

    `weight` and `prior` are those of `core.imaging.paper.View`.
    """
    parts = components(contrast > threshold, contrast * weight)
    score = digit_like(parts)
    if not score.any():
        return None
    strongest = int(score.argmax())
    only = np.arange(len(score)) == strongest
    ink, unevenness = strength(contrast, threshold, parts.paint(only), parts.box(only))
    bodies = bodies_of(parts, score)
    # Where nearly all ink is that of digits, what varies is not grain but print, such as faint lines.
    clean = parts.mass[bodies].sum() >= LEAST_CLEAN_SHARE * parts.mass.sum()
    if ink < max(LEAST_CONTRAST, LEAST_SIGNAL * unevenness * (0.5 if clean else 1)):
        return None
    mean = parts.mass / parts.area
    strokes = mean >= LEAST_STRENGTH * mean[strongest]
    share = parts.mass[bodies].sum() / parts.mass[strokes].sum()
    if share < LEAST_SHARE and np.count_nonzero(strokes) > MOST_STROKES * np.count_nonzero(bodies):
        return None
    return Writing(contrast, threshold, parts, bodies, strokes, float(score[strongest]) * prior)


def digit_like(parts: Components) -> Doubles:
    """How much each component looks like a digit, or like several that touch, (C,): 0 if it cannot be one.

    The score is that of `core.imaging.ink`. Hyphens, lines, points, specks, scribbles and frames have 0.
    """
    height, width = parts.bottom - parts.top, parts.right - parts.left
    length = parts.area / parts.thickness
    shaped = (length <= np.maximum(MOST_WINDING * parts.size, MOST_WINDING_BESIDE * width)) & (
        (width <= LYING * height) | (length >= LEAST_WINDING_LYING * width)
    )
    shaped &= (height >= LEAST_SIZE) & (parts.thickness <= BLOB * parts.size)
    shaped &= ~_enclosing(parts, shaped)
    score: Doubles = parts.mass / parts.thickness * np.minimum(1, SLENDER * height / parts.thickness) ** 2 * shaped
    inside = score[~parts.at_edge].max(initial=0)
    result: Doubles = np.where(parts.at_edge & (inside > 0), np.minimum(score, inside / 2), score)
    return result


def bodies_of(parts: Components, score: Doubles) -> Mask:
    """Which components are digits, or several that touch, (C,), given their score by `digit_like`, not all 0.

    They are about as strong as the most digit-like one, and not far smaller. At the edge, where tables and fingers
    reach into the picture, they are about as tall.
    """
    height, mean = parts.bottom - parts.top, parts.mass / parts.area
    main = int(score.argmax())
    tall = height / height[main]
    bodies: Mask = (score > 0) & (mean >= LEAST_STRENGTH * mean[main]) & (tall >= LEAST_HEIGHT)
    bodies &= ~parts.at_edge | ((tall >= 0.6) & (tall <= 1.5))
    return bodies


def _enclosing(parts: Components, upright: Mask) -> Mask:
    """Which components, (C,), are drawn around others that may be digits: frames, tables, circles."""
    result: Mask = np.zeros(len(parts.area), np.bool_)
    height = parts.bottom - parts.top
    inner = np.flatnonzero(upright)
    for outer in inner[np.argsort(height[inner])[-MOST_FRAMES:]]:
        inside = inner[
            (parts.left[inner] > parts.left[outer])
            & (parts.right[inner] < parts.right[outer])
            & (parts.top[inner] > parts.top[outer])
            & (parts.bottom[inner] < parts.bottom[outer])
        ]
        tallest = height[inside].max(initial=0)
        around = tallest >= LEAST_HEIGHT * height[outer] and height[outer] >= ENCLOSED * tallest
        result[outer] = around or len(inside) > MOST_INSIDE
    return result
