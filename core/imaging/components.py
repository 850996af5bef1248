"""Connected components of a mask, found from its horizontal runs.

A mask of a few hundred thousand pixels has a few thousand runs, so a handful of array operations over runs replaces a
loop over pixels.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.imaging.strokes import mean_thickness

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Components:
    """The 8-connected components of a mask of shape (H, W), numbered 0 … C-1.

    Attributes:
        shape: (H, W) of the mask.
        row, start, stop, owner: The R runs, each (R,): pixels `start … stop-1` of `row` belong to component `owner`.
        left, top, right, bottom: Bounding boxes, each (C,); right and bottom are exclusive.
        area: Pixels, (C,).
        mass: Sum of the weights of those pixels, (C,).
        thickness: Mean width of the strokes, in pixels, (C,).
        contact: Share of the outline that lies on the edge of the picture, (C,).
    """

    shape: tuple[int, int]
    row: Ints
    start: Ints
    stop: Ints
    owner: Ints
    left: Ints
    top: Ints
    right: Ints
    bottom: Ints
    area: Doubles
    mass: Doubles
    thickness: Doubles
    contact: Doubles

    @cached_property
    def size(self) -> Ints:
        """The longer side of each bounding box, in pixels, (C,)."""
        longer: Ints = np.maximum(self.right - self.left, self.bottom - self.top)
        return longer

    @cached_property
    def sides(self) -> Ints:
        """How many sides of the picture each component touches, (C,)."""
        height, width = self.shape
        touching = [self.left == 0, self.top == 0, self.right == width, self.bottom == height]
        count: Ints = np.sum(touching, axis=0, dtype=np.int64)
        return count

    @cached_property
    def at_edge(self) -> Mask:
        """Whether each component touches the edge of the picture, (C,)."""
        return self.sides > 0

    def weighed(self, weights: Floats) -> Self:
        """The same components with other weights per pixel, (H, W)."""
        return replace(self, mass=_masses(weights, self.row, self.start, self.stop, self.owner, len(self.area)))

    def box(self, chosen: Mask) -> Box:
        """Left, top, right and bottom of the chosen components, a mask (C,), taken together."""
        left, top = self.left[chosen].min(), self.top[chosen].min()
        return int(left), int(top), int(self.right[chosen].max()), int(self.bottom[chosen].max())

    def paint(self, chosen: Mask) -> Mask:
        """The pixels (H, W) of the chosen components, a mask (C,)."""
        mask = np.zeros(self.shape, np.bool_)
        if not chosen.any():
            return mask
        mine = chosen[self.owner]
        left, top, right, bottom = self.box(chosen)
        steps = np.zeros((bottom - top, right - left + 1), np.int8)
        # Runs of a row never touch, so each element is written once: +1 where a run starts, -1 after it stops.
        steps[self.row[mine] - top, self.start[mine] - left] = 1
        steps[self.row[mine] - top, self.stop[mine] - left] = -1
        mask[top:bottom, left:right] = np.cumsum(steps, axis=1, dtype=np.int8)[:, :-1]
        return mask


def components(mask: Mask, weights: Floats) -> Components:
    """Label the 8-connected components of `mask`, (H, W), and measure them, with `weights` per pixel, (H, W)."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, 0), (1, 1)))
    changes = np.flatnonzero(padded[:, 1:] != padded[:, :-1])  # start, stop, start, stop, … in reading order
    row, start = np.divmod(changes[::2], width + 1)
    stop = changes[1::2] % (width + 1)

    above, below = _touching(row, start, stop, width)
    owner = _owners(len(row), above, below)
    count = int(owner.max(initial=-1)) + 1

    area = _totals(owner, stop - start, count)
    shared = np.maximum(np.minimum(stop[above], stop[below]) - np.maximum(start[above], start[below]), 0)
    # A run has two vertical edges; a pixel has two horizontal ones, except where the run above or below covers it.
    edges = 2 * np.bincount(owner, minlength=count) + 2 * (area - _totals(owner[below], shared, count))
    return Components(
        shape=(height, width),
        row=row,
        start=start,
        stop=stop,
        owner=owner,
        left=_extreme(np.minimum, owner, start, np.full(count, width)),
        top=_extreme(np.minimum, owner, row, np.full(count, height)),
        right=_extreme(np.maximum, owner, stop, np.zeros(count, np.int64)),
        bottom=_extreme(np.maximum, owner, row + 1, np.zeros(count, np.int64)),
        area=area,
        mass=_masses(weights, row, start, stop, owner, count),
        thickness=mean_thickness(area, edges),
        contact=_totals(owner, _edge_pixels(mask.shape, row, start, stop), count) / np.maximum(edges, 1),
    )


def _touching(row: Ints, start: Ints, stop: Ints, width: int) -> tuple[Ints, Ints]:
    """Pairs of runs, (E,) and (E,): the second lies one row below the first and touches it, corners included."""
    stride = width + 2
    # In reading order, the runs of the next row that touch a given run are neighbors: a slice of the sorted keys.
    first = np.searchsorted(row * stride + stop, (row + 1) * stride + start, side="left")
    last = np.searchsorted(row * stride + start, (row + 1) * stride + stop, side="right")
    pairs = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(row)), pairs)
    nth = np.arange(len(above)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    return above, np.repeat(first, pairs) + nth


def _owners(count: int, above: Ints, below: Ints) -> Ints:
    """Component number of each run, (R,): the lowest label propagates along the pairs, with path halving."""
    label = np.arange(count)
    while True:
        lowest = np.minimum(label[above], label[below])
        lowered = label.copy()
        np.minimum.at(lowered, label[above], lowest)
        np.minimum.at(lowered, label[below], lowest)
        while not np.array_equal(lowered, lowered[lowered]):
            lowered = lowered[lowered]
        if np.array_equal(lowered, label):
            return np.unique(label, return_inverse=True)[1]
        label = lowered


def _totals(owner: Ints, values: Ints | Floats, count: int) -> Doubles:
    """Sum of the values of each component's runs, (C,)."""
    return np.bincount(owner, values, count).astype(np.float64)


def _extreme(pick: np.ufunc, owner: Ints, values: Ints, found: Ints) -> Ints:
    """The extreme of the values of each component's runs, (C,): `pick` applied to them and the initial `found`."""
    pick.at(found, owner, values)
    return found


def _edge_pixels(shape: tuple[int, ...], row: Ints, start: Ints, stop: Ints) -> Ints:
    """How many pixel edges of each run lie on the edge of the picture, (R,)."""
    above_or_below = (row == 0).astype(np.int64) + (row == shape[0] - 1)
    pixels: Ints = above_or_below * (stop - start) + (start == 0) + (stop == shape[1])
    return pixels


def _masses(weights: Floats, row: Ints, start: Ints, stop: Ints, owner: Ints, count: int) -> Doubles:
    """Sum of the weights of each component's pixels, (C,)."""
    if not len(row):
        return np.zeros(count)
    flat = np.append(weights.ravel(), np.float32(0))  # so that the last run may stop after the last pixel
    bounds = np.stack([start, stop], axis=1) + row[:, None] * weights.shape[1]  # (R, 2)
    return _totals(owner, np.add.reduceat(flat, bounds.ravel())[::2], count)
