"""Shadows with sharp edges, of which a part was taken for ink: a closer look at the paper leaves the ink alone.

The paper is found by a closing that is wider than any stroke, and such a window does not fit into the corners of a
shadow, or between two fingers' shadows. One that is only just wider than the strokes does.
"""

import numpy as np
from numpy.typing import NDArray

from core.imaging.candidates import Ink, candidates
from core.imaging.morphology import dilation
from core.imaging.paper import View, near_view
from core.imaging.strokes import mean_thickness

Gray = NDArray[np.uint8]
Mask = NDArray[np.bool_]

EVEN = 0.75  # of the strength of the strongest ink: weaker parts may be shadow
WINDOW = 3.0  # stroke widths: strokes are up to twice as wide where they cross
LEAST_WINDOW = 9  # pixels
HALO = 2  # pixels: beside a stroke, ink fades
INSIDE = 0.9  # of the ink alone lies in what was found at first …
LEAST_SHADE = 0.1  # … and this share of what was found is shadow …
WEAKER = 0.8  # … which is weaker than the ink by at least this factor, or by the next one …
MUCH_WEAKER = 0.6  # … if nothing else speaks for a shadow: the pressure of a pen varies as well


def without_shade(gray: Gray, ink: Ink) -> Ink:
    """The ink without shadows that were found together with it in a gray picture (H, W); or as it is without any."""
    inner = _core(ink.mask)
    if not inner.any():
        return ink
    weak, strong = np.percentile(ink.contrast[inner], [15, 85])
    if weak >= EVEN * strong:
        return ink
    middle = (weak + strong) / 2
    strokes = ink.mask & (ink.contrast > middle)
    window = max(LEAST_WINDOW, round(WINDOW * _thickness(strokes)))
    if window > min(gray.shape) // 5:
        return ink
    dark = bool(gray[strokes].mean() < gray[~ink.mask].mean())
    alone = _alone(near_view(gray, window, dark=dark), ink, WEAKER)
    if not alone and _reaches_edge(ink):  # from where the shadows of fingers come, which are as slender as strokes
        strongest = np.where(ink.contrast > middle, ink.contrast, np.float32(0))
        alone = _alone(View(strongest, np.ones((), np.float32), 1.0, flat=False), ink, MUCH_WEAKER)
    return max(alone, key=lambda reading: reading.score, default=ink)


def _alone(view: View, both: Ink, weaker: float) -> list[Ink]:
    """What a view holds where `both` was found at first, if the rest is a shadow: weaker by this factor."""
    readings = [reading for reading in candidates(view) if isinstance(reading, Ink)]
    return [reading for reading in readings if _is_ink_alone(reading, both, weaker)]


def _reaches_edge(ink: Ink) -> bool:
    left, top, right, bottom = ink.box
    height, width = ink.mask.shape
    return left == 0 or top == 0 or right == width or bottom == height


def _core(mask: Mask) -> Mask:
    """The pixels of a mask, (H, W), whose four neighbors belong to it as well: the sides of strokes fade."""
    core = mask.copy()
    core[1:] &= mask[:-1]
    core[:-1] &= mask[1:]
    core[:, 1:] &= mask[:, :-1]
    core[:, :-1] &= mask[:, 1:]
    return core


def _thickness(mask: Mask) -> float:
    edges = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return float(mean_thickness(np.array(np.count_nonzero(mask)), np.array(edges)))


def _is_ink_alone(ink: Ink, both: Ink, weaker: float) -> bool:
    """Whether what was found at first, `both`, is this ink and a shadow."""
    shade = both.mask & (dilation(ink.mask.astype(np.uint8), HALO) == 0)
    if both.mask[ink.mask].mean() < INSIDE or shade.sum() < LEAST_SHADE * both.mask.sum():
        return False
    return bool(both.contrast[shade].mean() <= weaker * both.contrast[ink.mask].mean())
