"""Lines of writing: which strokes stand side by side, how much the lines slope, and in which order they are read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.components import Components
from core.imaging.writing import Writing

Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

REACH = 1.5  # heights: bodies that are no farther apart, and about level, are neighbors
FAR_REACH = 8.0  # heights: the columns of a table may be so far apart
LEVEL = 0.5  # of the height of the lower of two bodies lies beside the other
LONG = 2.5  # heights: a row that is shorter says little about how the writing slopes
STEEPEST = 0.27  # rise over run: 15 degrees


def slope(writing: Writing) -> float:
    """How steeply the lines of writing run down to the right: rise over run, 0 if there is no long line.

    Lines of close neighbors are asked first, and then those of a table, whose columns are farther apart.
    """
    return _slope(writing, REACH) or _slope(writing, FAR_REACH)


def _slope(writing: Writing, reach: float) -> float:
    """The slope of the regression of y on x over the ink of each row, for all long rows together."""
    parts = writing.parts
    run, rise = 0.0, 0.0
    for members in _members(rows(parts, writing.bodies, reach)):
        height = np.median(parts.bottom[members] - parts.top[members])
        if parts.right[members].max() - parts.left[members].min() < LONG * height:
            continue
        mine = np.isin(parts.owner, members)
        weight = (parts.stop - parts.start)[mine].astype(np.float64)
        x, y = (parts.start + parts.stop)[mine] / 2, parts.row[mine].astype(np.float64)
        x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
        run, rise = run + float(weight @ (x * x)), rise + float(weight @ (x * y))
    return float(np.clip(rise / run, -STEEPEST, STEEPEST)) if run else 0.0


def lines(writing: Writing) -> list[Ints]:
    """The bodies of each line, from left to right, as numbers of components; the lines from top to bottom."""
    parts = writing.parts
    found = [_band(parts, members) for members in _members(rows(parts, writing.bodies))]
    merged: list[_Band] = []
    for band in sorted(found, key=_middle):
        place = next((place for place, other in enumerate(merged) if band.beside(other, parts)), None)
        if place is None:
            merged.append(band)
        else:
            merged[place] = _band(parts, np.concatenate([merged[place].members, band.members]))
    middle = parts.left + parts.right
    return [band.members[np.argsort(middle[band.members], kind="stable")] for band in sorted(merged, key=_middle)]


@dataclass(frozen=True, eq=False)
class _Band:
    """A part of a line, between its median top and bottom, in pixels."""

    top: float
    bottom: float
    members: Ints

    def beside(self, other: "_Band", parts: Components) -> bool:
        """Whether both belong to one line: about level, and not one above the other."""
        level = min(self.bottom, other.bottom) - max(self.top, other.top)
        lower = min(self.bottom - self.top, other.bottom - other.top)
        mine, theirs = self.members, other.members
        apart = (parts.left[mine][:, None] >= parts.right[theirs]) | (parts.right[mine][:, None] <= parts.left[theirs])
        return bool(level >= LEVEL * lower and apart.all())


def _band(parts: Components, members: Ints) -> _Band:
    return _Band(float(np.median(parts.top[members])), float(np.median(parts.bottom[members])), members)


def _middle(band: _Band) -> float:
    return (band.top + band.bottom) / 2


def rows(parts: Components, bodies: Mask, reach: float = REACH) -> Ints:
    """For each component the number of its row, (C,); -1 for those that are not bodies.

    Rows are chains of neighbors, each at most `reach` heights beside the next, so that a row may slope or be bent.
    """
    row_of: Ints = np.where(bodies, np.arange(len(bodies)), -1)
    chosen = np.flatnonzero(bodies)
    left, right, top, bottom = (side[chosen] for side in (parts.left, parts.right, parts.top, parts.bottom))
    height = bottom - top
    for one in range(len(chosen)):
        level = np.minimum(bottom, bottom[one]) - np.maximum(top, top[one])
        apart = np.maximum(left - right[one], left[one] - right)
        near = (level >= LEVEL * np.minimum(height, height[one])) & (apart <= reach * np.maximum(height, height[one]))
        joined = np.unique(row_of[chosen[near]])
        row_of[np.isin(row_of, joined)] = joined[0]
    return row_of


def _members(row_of: Ints) -> list[Ints]:
    """The components of each row."""
    return [np.flatnonzero(row_of == row) for row in np.unique(row_of) if row >= 0]
