"""Strokes → a gray picture, as a drawing program or a camera would deliver it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.drawing.hand import Hand, Stroke

_FINE = 2  # drawn at twice the size and then reduced, which makes smooth edges


@dataclass(frozen=True)
class Pen:
    """How thick a pen draws.

    Attributes:
        width: Of its strokes, as a share of the height of what is drawn.
        pressure: By which share of `width` the width changes along a stroke.
        tapering: Whether strokes end in a thin point, as those of a brush do.
    """

    width: float
    pressure: float
    tapering: bool

    @classmethod
    def random(cls, hand: Hand, thinnest: float = 0.03, thickest: float = 0.17) -> Self:
        """From a pencil to a broad brush."""
        width = float(np.exp(hand.between(np.log(thinnest), np.log(thickest))))
        return cls(width, pressure=hand.between(0, 0.35), tapering=hand.happens(0.2))

    def widths(self, points: int, hand: Hand) -> NDArray[np.float64]:
        """Of a stroke of so many points, (points,), as shares of the height."""
        along = np.linspace(0, 1, points)
        swell = np.sin(2 * np.pi * (hand.between(0.3, 1.5) * along + hand.between(0, 1)))
        widths: NDArray[np.float64] = self.width * (1 + self.pressure * swell)
        if self.tapering:
            widths *= np.clip(6 * np.minimum(along, 1 - along) + 0.35, 0, 1)
        return widths


def ink(strokes: Sequence[Stroke], pen: Pen, hand: Hand, size: int) -> Image.Image:
    """Draw strokes so that the longer side of what they cover is about `size` pixels.

    Returns:
        A gray picture (mode "L") without a margin: 0 is paper and 255 is ink.
    """
    points = np.concatenate(strokes)
    corner = points.min(axis=0)
    wide, high = np.ptp(points, axis=0)
    scale = _FINE * size / max(wide, high)
    letters = scale * max(high, 0.3 * wide)  # the height of what is written, in pixels
    thickest = pen.width * (1 + pen.pressure) * letters
    margin = int(thickest / 2) + 2 * _FINE
    page = Image.new("L", (int(np.ceil(wide * scale)) + 2 * margin, int(np.ceil(high * scale)) + 2 * margin))
    draw = ImageDraw.Draw(page)
    for stroke in strokes:
        path = (stroke - corner) * scale + margin
        radii = pen.widths(len(path), hand) * (letters / 2)
        for (x, y), r in zip(path.tolist(), radii.tolist(), strict=True):
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        for a, b, r in zip(path[:-1].tolist(), path[1:].tolist(), radii[1:].tolist(), strict=True):
            draw.line((*a, *b), fill=255, width=max(1, round(2 * r)))
    return page.reduce(_FINE)


def transformed(strokes: Sequence[Stroke], hand: Hand, *, turn: float, slant: float, stretch: float) -> list[Stroke]:
    """Strokes of one handwriting: turned, slanted, stretched and with a tremor.

    Args:
        strokes: What to change.
        hand: Draws by how much.
        turn: The largest angle, in degrees, to either side.
        slant: The largest slant: by how much x changes per unit of y; to the right twice as much as to the left.
        stretch: The largest change of the width, as a logarithm: 0.3 is from 0.74 to 1.35.
    """
    angle = np.radians(hand.between(-turn, turn))
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[np.exp(hand.between(-stretch, stretch)), hand.between(-slant, slant / 2)], [0, 1]])
    matrix = rotate @ shear
    return [_trembling(stroke @ matrix.T, hand) for stroke in strokes]


def _trembling(stroke: Stroke, hand: Hand) -> Stroke:
    """The stroke of a hand that is not steady: displaced by slow waves."""
    along = np.linspace(0, 1, len(stroke))[:, np.newaxis]
    size = abs(float(hand.rng.normal(0, 0.01)))
    waves = np.sin(2 * np.pi * (hand.rng.uniform(0.7, 3, (1, 2)) * along + hand.rng.random((1, 2))))
    trembling: Stroke = stroke + size * waves
    return trembling
