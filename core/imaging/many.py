"""A picture with several digits → lines of pieces, and every way to put neighboring pieces together to a digit."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import PictureError
from core.imaging.components import Box, Components
from core.imaging.gray import opaque, to_gray
from core.imaging.ink import Ink
from core.imaging.lines import lines, slope
from core.imaging.modes import plain
from core.imaging.picture import at_scale, framed
from core.imaging.pieces import Piece, line_height, pieces
from core.imaging.writing import Writing, find_writing, strokes_in

Digit = NDArray[np.uint8]
Ints = NDArray[np.intp]

MOST_DIGITS = 256  # in one picture
SEARCHED_PIXELS = 1_500_000  # digits are searched at this scale: those of a page are smaller than one that fills it
LEAST_SLOPE = 0.03  # rise over run: lines that slope less are left as they are
WIDEST = 1.5  # width over height of a candidate of several pieces
FARTHEST = 0.3  # heights: pieces that are farther apart are two digits
MOST_PIECES = 5  # in one candidate
PIECES_PER_DIGIT = 4  # at most, on average

# What speaks against a candidate before one looks at what it shows, in nats. Fitted, with the weight of a logit in
# `core.inference.several`, to numbers put together from MNIST's training images, from wide apart to overlapping.
CUT = 0.5  # a cut
CUT_INK = 0.6  # … for each stroke width of ink that it crosses
GAP = 7.0  # a gap within the candidate, for each height of the line
WIDE, BROAD = 11.5, 0.5  # times the square of what the width exceeds this share of the height
LOWER, LOW = 20.0, 0.75  # times the square of what the height falls short of this share of the line's height


@dataclass(frozen=True, eq=False)
class Candidate:
    """Neighboring pieces of a line that may be one digit.

    Attributes:
        first, last: The pieces `first … last-1` of the line.
        image: The candidate, framed as a single digit is: uint8 (28, 28), 0 is background and 255 is ink.
        box: Left, top, right and bottom, in pixels of the upright picture; right and bottom are exclusive.
        cost: How little its shape and the cuts on both sides are like those of a digit, in nats; at least 0.
    """

    first: int
    last: int
    image: Digit
    box: Box
    cost: float


@dataclass(frozen=True, eq=False)
class Line:
    """A line of `pieces` pieces, from left to right, and all candidates in it."""

    pieces: int
    candidates: list[Candidate]


def segment(picture: Image.Image, *, most: int = MOST_DIGITS) -> list[Line]:
    """The lines of digits in an upright picture, from top to bottom.

    Args:
        picture: Any size and mode; dark on light or light on dark, drawn or photographed. Lines may slope by 10
            degrees.
        most: The largest number of digits; it bounds time and memory, whatever the picture shows.

    Raises:
        NoDigitError: Nothing is written in it, or there is only noise.
        PictureError: More than `most` strokes that may be digits.
    """
    picture = opaque(plain(picture))
    scene, _ = at_scale(picture, SEARCHED_PIXELS)
    writing, turn = _straightened(find_writing(to_gray(scene)))
    _check(int(writing.bodies.sum()), most)
    labels = _labels(writing.parts)
    cut = [(pieces(writing, labels, bodies), line_height(writing.parts, bodies)) for bodies in lines(writing)]
    _check(sum(len(line) for line, _ in cut) // PIECES_PER_DIGIT, most)
    place = _Place(turn, scene.width / picture.width, scene.height / picture.height, picture.size, scene.size)
    return [_line(writing, labels, line, height, place) for line, height in cut]


def _check(digits: int, most: int) -> None:
    if digits > most:
        raise PictureError(
            f"picture: {digits:,} strokes that may be digits, at most {most:,} are read at once; "
            "crop the picture to the digits, or send it in parts"
        )


def _straightened(writing: Writing) -> tuple[Writing, float]:
    """The writing, turned until its lines are level, and by how much: counterclockwise, in radians."""
    rise = slope(writing)
    if abs(rise) < LEAST_SLOPE:
        return writing, 0.0
    turn = math.atan(rise)
    level = Image.fromarray(writing.contrast).rotate(math.degrees(turn), Image.Resampling.BILINEAR, expand=True)
    turned = strokes_in(np.asarray(level), writing.threshold, np.ones((), np.float32))
    return (turned, turn) if turned else (writing, 0.0)


def _labels(parts: Components) -> Ints:
    """The number of the component at each pixel, (H, W); -1 where there is no ink."""
    height, width = parts.shape
    lengths = parts.stop - parts.start
    first = np.repeat(parts.row * width + parts.start, lengths)
    within = np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    labels = np.full(height * width, -1, np.intp)
    labels[first + within] = np.repeat(parts.owner, lengths)
    return labels.reshape(height, width)


@dataclass(frozen=True)
class _Place:
    """Where pixels of the straightened scene lie in the picture.

    Attributes:
        turn: How far the scene was turned counterclockwise, around its center, in radians.
        across, down: Pixels of the scene for each pixel of the picture.
        picture, scene: Width and height of the picture, and of the scene before it was turned.
    """

    turn: float
    across: float
    down: float
    picture: tuple[int, int]
    scene: tuple[int, int]

    def box(self, rows: Ints, columns: Ints, shape: tuple[int, int]) -> Box:
        """The box in the picture around pixels of the straightened scene, whose shape is (H, W)."""
        x, y = columns + 0.5 - shape[1] / 2, rows + 0.5 - shape[0] / 2
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        left, right = _span(x * cos - y * sin + self.scene[0] / 2, self.across, self.picture[0])
        top, bottom = _span(x * sin + y * cos + self.scene[1] / 2, self.down, self.picture[1])
        return left, top, right, bottom


def _span(middles: NDArray[np.float64], scale: float, side: int) -> tuple[int, int]:
    """The first pixel of the picture and the one after the last that pixels of the scene cover along one side."""
    first = math.floor(round((middles.min() - 0.5) / scale, 3))
    last = math.ceil(round((middles.max() + 0.5) / scale, 3))
    return min(max(0, first), side - 1), max(1, min(last, side))


def _line(writing: Writing, labels: Ints, cut: list[Piece], height: float, place: _Place) -> Line:
    """All candidates of a line with these pieces."""
    candidates = []
    for first in range(len(cut)):
        for last in range(first + 1, min(first + MOST_PIECES, len(cut)) + 1):
            if not _one_digit(cut[first:last], height):
                break
            cost = _cost(cut[first:last], cut[first - 1].cut if first else None, height)
            image, box = _framed(writing, labels, cut[first:last], place)
            candidates.append(Candidate(first, last, image, box, cost))
    return Line(len(cut), candidates)


def _one_digit(chosen: list[Piece], height: float) -> bool:
    """Whether these pieces may be one digit: always, if it is a single one, so that every line can be read."""
    left, _, right, _ = _around(chosen)
    return len(chosen) == 1 or (right - left <= WIDEST * height and max(_gaps(chosen)) <= FARTHEST * height)


def _gaps(chosen: list[Piece]) -> list[int]:
    """The bare columns before each piece but the first."""
    reach = itertools.accumulate((piece.box[2] for piece in chosen), max)
    return [max(0, piece.box[0] - right) for right, piece in zip(reach, chosen[1:], strict=False)]


def _cost(chosen: list[Piece], cut_before: float | None, height: float) -> float:
    """What speaks against these pieces being one digit, in nats."""
    left, top, right, bottom = _around(chosen)
    # Each cut counts half for either side. Only its ends are cut: within the candidate, the ink is whole.
    cuts = [crossed for crossed in (cut_before, chosen[-1].cut) if crossed is not None]
    wide = max(0.0, (right - left) / height - BROAD)
    low = max(0.0, LOW - (bottom - top) / height)
    return (
        sum(CUT + CUT_INK * crossed for crossed in cuts) / 2
        + GAP * sum(_gaps(chosen)) / height
        + WIDE * wide**2
        + LOWER * low**2
    )


def _around(chosen: list[Piece]) -> Box:
    """The box around these pieces in the scene."""
    lefts, tops, rights, bottoms = zip(*(piece.box for piece in chosen), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _framed(writing: Writing, labels: Ints, chosen: list[Piece], place: _Place) -> tuple[Digit, Box]:
    """These pieces, framed without the ink of others, and their box in the picture."""
    left, top, right, bottom = _around(chosen)
    # The gray pixels beside the ink show where its edge runs, so one more on each side is kept.
    before, above = min(left, 1), min(top, 1)
    near = np.s_[top - above : bottom + 1, left - before : right + 1]
    mask = np.zeros(labels[near].shape, np.bool_)
    for piece in chosen:
        x, y = piece.box[0] - left + before, piece.box[1] - top + above
        mask[y : y + piece.mask.shape[0], x : x + piece.mask.shape[1]] |= piece.mask
    ink = Ink(
        contrast=np.where((labels[near] >= 0) & ~mask, np.float32(0), writing.contrast[near]),
        threshold=writing.threshold,
        mask=mask,
        box=(before, above, right - left + before, bottom - top + above),
        thickness=_thickness(chosen),
        score=writing.score,
    )
    rows, columns = np.nonzero(mask)
    return framed(ink), place.box(rows + top - above, columns + left - before, writing.parts.shape)


def _thickness(chosen: list[Piece]) -> float:
    """Mean stroke width of these pieces: their area over the length of their strokes."""
    area = [np.count_nonzero(piece.mask) for piece in chosen]
    return sum(area) / sum(pixels / piece.thickness for pixels, piece in zip(area, chosen, strict=True))
