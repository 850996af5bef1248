"""Pieces of digits: the strokes of a line, cut wherever digits that touch may be parted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imaging.components import Box, Components
from core.imaging.seams import seams
from core.imaging.writing import BLOB, Writing

Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]

LOW = 0.4  # of the height of a line: a lower stroke is a part of a digit, or a point or a hyphen between digits
LEAST_PART = 0.1  # of the height of a line: the longer side of a part of a digit
BELONGS = 0.25  # of the height of a line: a part is no farther from its digit
ROOF = 0.4  # of the height of a line: a part that lies beside its digit, such as the roof of a 5, ends above


@dataclass(frozen=True, eq=False)
class Piece:
    """A digit, or a part of one.

    Attributes:
        box: Left, top, right and bottom in the scene, in pixels; right and bottom are exclusive.
        mask: Its pixels within the box.
        thickness: Mean width of the strokes that it was cut from, in pixels.
        cut: How much ink the cut on its right-hand side crosses, in stroke widths; None where there is no ink to cut.
    """

    box: Box
    mask: Mask
    thickness: float
    cut: float | None


def line_height(parts: Components, bodies: Ints) -> float:
    """The height of a line's digits, in pixels: the median, in which digits that touch count for several."""
    height = (parts.bottom - parts.top)[bodies]
    digits = np.maximum(1, np.rint((parts.right - parts.left)[bodies] / height).astype(np.intp))
    return float(np.median(np.repeat(height, digits)))


def pieces(writing: Writing, labels: Ints, bodies: Ints) -> list[Piece]:
    """The pieces of a line, from left to right.

    Args:
        writing: All strokes.
        labels: The number of the component at each pixel, (H, W), -1 where there is no ink.
        bodies: The components of the line.
    """
    parts = writing.parts
    height = line_height(parts, bodies)
    heights = parts.bottom - parts.top
    whole = bodies[heights[bodies] >= LOW * height]  # never none: the median is among them
    groups = _groups(writing, whole, height)
    # What stands alone and is no wider than tall is one digit.
    alone = len(groups) == 1 and (parts.right - parts.left)[whole[0]] <= heights[whole[0]]
    found = [piece for group in groups for piece in _cut(parts, labels, group, height=height, parted=not alone)]
    return sorted(found, key=lambda piece: piece.box[0] + piece.box[2])


def _groups(writing: Writing, whole: Ints, height: float) -> list[Ints]:
    """Each of the components `whole` with the small strokes that belong to it."""
    parts = writing.parts
    groups = [[number] for number in whole.tolist()]
    left, top, right, bottom = (side[whole] for side in (parts.left, parts.top, parts.right, parts.bottom))
    band = (parts.bottom > top.min() - BELONGS * height) & (parts.top < bottom.max() + BELONGS * height)
    small = writing.strokes & band & (parts.bottom - parts.top < LOW * height) & (parts.size >= LEAST_PART * height)
    small &= (parts.size >= 1.5 * parts.thickness) & (parts.thickness <= BLOB * parts.size) & ~parts.at_edge
    small &= parts.size <= height
    for part in np.flatnonzero(small):
        aside = np.maximum(0, np.maximum(left - parts.right[part], parts.left[part] - right))
        apart = np.maximum(0, np.maximum(top - parts.bottom[part], parts.top[part] - bottom))
        distance = np.hypot(aside, apart)
        shared = np.minimum(right, parts.right[part]) - np.maximum(left, parts.left[part])
        above = (shared >= 0.5 * (parts.right[part] - parts.left[part])) | (parts.bottom[part] <= top + ROOF * height)
        distance[~above] = np.inf
        nearest = int(distance.argmin())
        if distance[nearest] <= BELONGS * height:
            groups[nearest].append(int(part))
    return [np.array(group) for group in groups]


def _cut(parts: Components, labels: Ints, group: Ints, *, height: float, parted: bool) -> list[Piece]:
    """The pieces of one group of components, from left to right; a single one, unless it may be `parted`."""
    left, top, right, bottom = parts.box(np.isin(np.arange(len(parts.area)), group))
    mask = np.isin(labels[top:bottom, left:right], group)
    area = parts.area[group]
    thickness = float(area.sum() / (area / parts.thickness[group]).sum())
    paths = seams(mask, thickness) if parted else []
    side = np.zeros(mask.shape, np.intp)
    for path in paths:
        side += np.arange(mask.shape[1]) >= path.columns[:, None]
    found: list[Piece] = []
    first = 0
    for number, path in enumerate(paths):
        mine = mask & (side >= first) & (side <= number)
        if min(_tall(mine), _tall(mask & (side > number))) >= LOW * height:
            found.append(_piece(mine, (left, top), thickness, path.crossed))
            first = number + 1
    return [*found, _piece(mask & (side >= first), (left, top), thickness, None)]


def _tall(mask: Mask) -> int:
    """From the first row with ink to the last."""
    rows = np.flatnonzero(mask.any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if len(rows) else 0


def _piece(mask: Mask, corner: tuple[int, int], thickness: float, cut: float | None) -> Piece:
    """The piece of these pixels, of which the first one lies at `corner`, x and y, of the scene."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    x, y = corner
    return Piece((x + left, y + top, x + right, y + bottom), mask[top:bottom, left:right], thickness, cut)
