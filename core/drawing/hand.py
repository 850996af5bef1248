"""The hand that draws: random, but reproducible, choices; and the curves from which strokes are made.

Coordinates are (x, y), with x to the right and y down. A digit is about 1 high, and its top left corner is (0, 0).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Point = tuple[float, float]
Stroke = NDArray[np.float64]
"""The path of a pen from where it is put down to where it is lifted: (P, 2), at least two points."""

_STEP = 0.02  # distance of the points along a curve


class Hand:
    """Draws no two strokes alike.

    Attributes:
        rng: Every choice is drawn from it.
        jitter: How far a point lies from where it was meant to be: the standard deviation in x and y.
    """

    def __init__(self, rng: np.random.Generator, jitter: float = 0.025) -> None:
        self.rng = rng
        self.jitter = jitter

    def at(self, x: float, y: float) -> Point:
        """A point near (x, y)."""
        dx, dy = self.rng.normal(0, self.jitter, 2)
        return x + float(dx), y + float(dy)

    def between(self, low: float, high: float) -> float:
        """A uniformly distributed number."""
        return float(self.rng.uniform(low, high))

    def happens(self, probability: float) -> bool:
        """Whether something happens that has this probability."""
        return float(self.rng.random()) < probability

    def choose(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[int(self.rng.integers(len(options)))]

    def curve(self, *points: Point) -> Stroke:
        """A smooth curve that passes near these points."""
        return curve(*(self.at(x, y) for x, y in points))

    def line(self, *points: Point) -> Stroke:
        """Straight lines from near one point to near the next."""
        return line(*(self.at(x, y) for x, y in points))


def line(*points: Point) -> Stroke:
    """Straight lines from point to point."""
    corners = np.array(points, np.float64)
    parts = [_spaced(start, stop) for start, stop in pairwise(corners)]
    return np.concatenate([*parts, corners[-1:]])


def curve(*points: Point) -> Stroke:
    """A smooth curve through points: Catmull & Rom's spline (1974), whose tangent at a point joins its neighbors."""
    p = np.array(points, np.float64)
    if len(p) < 3:
        return line(*points)
    p = np.concatenate([[2 * p[0] - p[1]], p, [2 * p[-1] - p[-2]]])
    parts = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t = np.linspace(0, 1, _steps(b, c), endpoint=False)[:, np.newaxis]
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*parts, p[-2:-1]])


def arc(center: Point, radius: tuple[float, float], start: float, stop: float) -> Stroke:
    """Part of an ellipse, from one angle to another, in degrees: 0 is to the right, 90 is down."""
    steps = max(4, round(abs(stop - start) / 8))
    angles = np.radians(np.linspace(start, stop, steps + 1))
    return np.stack([center[0] + radius[0] * np.cos(angles), center[1] + radius[1] * np.sin(angles)], axis=1)


def joined(*strokes: Stroke) -> Stroke:
    """Several strokes drawn without lifting the pen."""
    return np.concatenate(strokes)


def _spaced(start: NDArray[np.float64], stop: NDArray[np.float64]) -> Stroke:
    """Points on a straight line, without its end."""
    t = np.linspace(0, 1, _steps(start, stop), endpoint=False)[:, np.newaxis]
    return start + (stop - start) * t


def _steps(start: NDArray[np.float64], stop: NDArray[np.float64]) -> int:
    """Into how many pieces to cut the way between two points."""
    return max(1, round(float(np.hypot(*(stop - start))) / _STEP))
