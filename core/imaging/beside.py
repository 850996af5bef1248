"""Whether other digits stand beside the one that was found: a picture of a number must not pass for one digit."""

import numpy as np
from numpy.typing import NDArray

from core.imaging.components import Components, components
from core.imaging.ink import Ink
from core.imaging.lines import rows
from core.imaging.writing import bodies_of, digit_like

Ints = NDArray[np.intp]

LEAST_HEIGHT = 0.5  # of the digit's own: smaller print is a page number, a date, a part of the digit
CLOSE = 0.25  # heights: strokes that are no farther apart …
SQUARE = 1.0  # … are one digit, such as an open 4, if together they are no wider than this share of the height
LEAST_SHARE = 0.7  # of what may be digits in all the ink: beside less of it, it is the pattern of a carpet
SAME_INK = 0.65  # of the strength of the digit: what is weaker is a shadow, or shines through from the other side
SAME_PEN = 2.5  # stroke width over that of the digit, or the reverse: beyond, it is a finger, a shadow, a printed line
ABREAST = 2.4  # width over height: connected strokes that are wider are several digits that touch


def several(ink: Ink) -> int:
    """How many digits stand side by side where `find_ink` found one: 1, or more.

    Counts what is about as tall and as strong as the digit, level with it and near it, or connected with it and far
    wider than tall. No network is asked: two digits that touch, and are no wider than one may be, count as one.
    """
    known = ink.parts
    parts = known.weighed(ink.contrast) if known else components(ink.contrast > ink.threshold, ink.contrast)
    bodies = bodies_of(parts, digit_like(parts))
    mine = np.zeros(len(parts.area), np.bool_)
    mine[parts.owner[ink.mask[parts.row, parts.start]]] = True
    if not (bodies & mine).any() or parts.mass[bodies | mine].sum() < LEAST_SHARE * parts.mass.sum():
        return 1
    height = parts.bottom - parts.top
    tallest = height[bodies & mine].max()
    strength, pen = parts.mass / parts.area, parts.thickness / np.median(parts.thickness[bodies & mine])
    same = (strength >= SAME_INK * strength[bodies & mine].max()) & (pen <= SAME_PEN) & (pen >= 1 / SAME_PEN)
    # What runs from one edge of the picture to another is a margin line, a table, the side of a printed box.
    alike = bodies & (height >= LEAST_HEIGHT * tallest) & (height <= tallest / LEAST_HEIGHT)
    alike &= mine | (same & (parts.sides < 2))
    row_of = rows(parts, alike)
    main = np.flatnonzero(alike & mine)
    row = np.flatnonzero(alike & (row_of == row_of[main[height[main].argmax()]]))
    return _count(parts, row[np.argsort(parts.left[row], kind="stable")])


def _count(parts: Components, row: Ints) -> int:
    """How many digits the strokes of a row are, from left to right."""
    tallest = float((parts.bottom - parts.top)[row].max())
    count, start, reach = 0, -np.inf, -np.inf  # of the digit that the strokes so far belong to
    for number in row:
        left, right = float(parts.left[number]), float(parts.right[number])
        if left - reach <= CLOSE * tallest and max(reach, right) - start <= SQUARE * tallest:
            reach = max(reach, right)
            continue
        count += max(1, round((right - left) / (ABREAST * tallest) + 0.5))
        start, reach = left, right
    return count
