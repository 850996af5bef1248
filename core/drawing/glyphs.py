"""Letters, words and signs as strokes."""

from functools import cache
from typing import NamedTuple

import numpy as np

from core.drawing.hand import Hand, Stroke, line
from core.drawing.hershey import font

_LATIN = (
    *("futural", "rowmans", "scripts", "cursive") * 4,  # single strokes, as one writes with a pen, are the most common
    *("futuram", "rowmand", "rowmant", "scriptc", "timesr", "timesrb", "timesi", "timesib"),
    *("gothgbt", "gothgrt", "gothiceng", "gothicger", "gothicita"),
)
_SIGNS = ("astrology", "markers", "mathlow", "meteorology", "music", "symbolic", "greek", "greeks", "japanese")

# What is written like a digit, in one handwriting or another, teaches nothing: O and 0, l and 1, S and 5, …; nor does
# what becomes one without its dot, which may be taken for dirt: i, j, ?, !
LETTERS = "ABCEFGHJKLMNPQRTUVWXYacdefhkmnprtuvwx"
SIGNS = "#$%&*+<=>@~"

_PLAIN = "0123456789()[]{}|/DOQoIilJjSsZzbgqy?!"  # digits, and what looks like one in the fonts that have letters too
_LEAST_STROKES = 4  # of a glyph from a font of signs: simpler ones may look like a digit


class Glyph(NamedTuple):
    """A letter or a sign.

    Attributes:
        strokes: About 1 high, from x = 0 on.
        advance: The x at which the next letter of a word begins.
    """

    strokes: list[Stroke]
    advance: float


def letter(hand: Hand) -> Glyph:
    """A letter or punctuation mark that cannot be taken for a digit."""
    return _glyph(hand.choose(_LATIN), hand.choose(LETTERS if hand.happens(0.85) else SIGNS))


def sign(hand: Hand) -> Glyph:
    """A sign of mathematics, music, astrology, …; or a letter of another script."""
    name = hand.choose(_SIGNS)
    return _glyph(name, hand.choose(_intricate(name)))


def word(hand: Hand) -> list[Stroke]:
    """Two to six letters in a row."""
    name = hand.choose(_LATIN)
    strokes: list[Stroke] = []
    x = 0.0
    for _ in range(int(hand.rng.integers(2, 7))):
        glyph = _glyph(name, hand.choose(LETTERS))
        strokes += [stroke + np.array([x, 0]) for stroke in glyph.strokes]
        x += glyph.advance * hand.between(0.85, 1.05)
    return strokes


@cache
def _intricate(name: str) -> tuple[str, ...]:
    """The characters of a font that are no digits and have many strokes."""
    found = font(name).items()
    return tuple(
        character for character, strokes in found if character not in _PLAIN and len(strokes) >= _LEAST_STROKES
    )


@cache
def _glyph(name: str, character: str) -> Glyph:
    strokes = font(name)[character]
    points = np.array([point for stroke in strokes for point in stroke], np.float64)
    left, top = points.min(axis=0)
    scale = 1 / max(float(np.ptp(points[:, 1])), 0.5 * float(np.ptp(points[:, 0])), 1e-6)
    scaled = [line(*(((x - left) * scale, (y - top) * scale) for x, y in stroke)) for stroke in strokes]
    return Glyph(scaled, float(np.ptp(points[:, 0])) * scale + 0.25)
