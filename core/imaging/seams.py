"""Where digits that touch may be parted: the paths from top to bottom that cross the least ink."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

HEIGHT = 40  # rows: paths are searched at this scale
ASIDE = np.float32(0.08)  # what a step to the side costs, in pixels of ink: paths through bare paper are straight
DEAREST = 2.6  # stroke widths: a path that crosses more ink leads through a digit, not between two
NEAREST = 0.12  # of the height: two paths are at least so far apart somewhere …
LEAST_PIECE = 0.1  # … and a piece beside a path is at least so wide
DENSEST = 6  # paths for each height of width


@dataclass(frozen=True, eq=False)
class Seam:
    """A path from top to bottom of a mask (H, W).

    Attributes:
        columns: The first column on its right-hand side in each row, (H,).
        crossed: How much ink it crosses, in stroke widths.
    """

    columns: Ints
    crossed: float


def seams(mask: Mask, thickness: float) -> list[Seam]:
    """The paths along which a mask, (H, W), with strokes of `thickness` pixels may be cut, from left to right.

    A path steps down row by row, and at most one column to either side each time. Its cost is the ink that it crosses.
    The cheapest path through each column of the middle row is found by dynamic programming (Wang & Jean, "Segmentation
    of merged characters by neural networks and shortest path", 1994); the local minima among them are returned.
    """
    height, width = mask.shape
    scale = min(1.0, HEIGHT / height)
    rows, columns = max(2, round(height * scale)), max(1, round(width * scale))
    least = max(1.0, LEAST_PIECE * rows)
    if columns < 2 * least + 1:
        return []
    ink = np.asarray(Image.fromarray(mask.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX))
    middle = rows // 2
    above, from_above = _cheapest(ink[: middle + 1])
    below, from_below = _cheapest(ink[: middle - 1 if middle else None : -1])
    cost = above + below - ink[middle]  # (columns,)

    chosen: list[Seam] = []
    taken: list[Ints] = []
    limit = DEAREST * thickness * scale
    for column in _minima(cost, least):
        if cost[column] > limit or len(chosen) >= DENSEST * max(1, columns / rows):
            break
        path = np.concatenate([_back(from_above, column), _back(from_below, column)[-2::-1]])
        if all(np.abs(path - other).max() >= NEAREST * rows for other in taken):
            taken.append(path)
            at = np.minimum(((np.arange(height) + 0.5) * scale).astype(np.intp), rows - 1)
            chosen.append(
                Seam(np.rint((path[at] + 0.5) / scale).astype(np.intp), float(cost[column] / (thickness * scale)))
            )
    return sorted(chosen, key=lambda seam: float(seam.columns.mean()))


def _cheapest(ink: Floats) -> tuple[Floats, NDArray[np.int8]]:
    """The cost of the cheapest path to each pixel of the last row, (W,), and from which side each step came, (H, W)."""
    steps = np.zeros(ink.shape, np.int8)
    cost = ink[0]
    for row in range(1, len(ink)):
        edge = np.pad(cost + ASIDE, 1, constant_values=np.inf)
        ways = np.stack([cost, edge[:-2], edge[2:]])  # from above, from the left, from the right
        best = ways.argmin(axis=0)
        steps[row] = np.array([0, -1, 1], np.int8)[best]
        cost = ink[row] + ways.min(axis=0)
    return cost, steps


def _minima(cost: Floats, least: float) -> Ints:
    """The columns of the local minima, cheapest first; of several equal neighbors, the one in the middle."""
    edge = math.ceil(least)
    changes = np.flatnonzero(np.abs(np.diff(cost)) > 1e-3) + 1
    starts, stops = np.append(0, changes), np.append(changes, len(cost))
    level = cost[starts]
    padded = np.pad(level, 1, constant_values=np.inf)
    lowest = (level < padded[:-2]) & (level < padded[2:])
    middles = ((starts + stops - 1) // 2)[lowest]
    middles = middles[(middles >= edge) & (middles < len(cost) - edge)]
    cheapest: Ints = middles[np.argsort(cost[middles], kind="stable")]
    return cheapest


def _back(steps: NDArray[np.int8], column: int) -> Ints:
    """The column in each row, (H,), of the cheapest path that ends at `column` in the last row."""
    path = np.empty(len(steps), np.intp)
    for row in range(len(steps) - 1, -1, -1):
        path[row] = column
        column += int(steps[row, column])
    return path
