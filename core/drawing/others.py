"""Things that are no digit: letters, words, signs, shapes, faces, scribbles, several digits, blots."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from core.drawing import glyphs
from core.drawing.digits import STYLES
from core.drawing.hand import Hand, Point, Stroke, arc, curve, joined, line


class Other(NamedTuple):
    """One kind of thing that is no digit.

    Attributes:
        draw: Gives its strokes, anew at each call.
        share: How often it is drawn, relative to the other kinds.
    """

    draw: Callable[[Hand], list[Stroke]]
    share: float


def _letter(hand: Hand) -> list[Stroke]:
    return list(glyphs.letter(hand).strokes)


def _sign(hand: Hand) -> list[Stroke]:
    return list(glyphs.sign(hand).strokes)


def _digits(hand: Hand) -> list[Stroke]:
    """Two or three digits side by side, apart or touching."""
    strokes: list[Stroke] = []
    x = 0.0
    names = sorted(STYLES)
    for _ in range(2 if hand.happens(0.75) else 3):
        drawn = STYLES[hand.choose(names)].draw(hand)
        points = np.concatenate(drawn)
        scale = hand.between(0.85, 1.1)
        shift = np.array([x - scale * points[:, 0].min(), hand.between(-0.1, 0.1)])
        strokes += [scale * stroke + shift for stroke in drawn]
        x += scale * float(np.ptp(points[:, 0])) + hand.between(-0.04, 0.18)
    return strokes


def _polygon(hand: Hand) -> list[Stroke]:
    """A triangle or a square, but nothing as round as a 0; or a star, which connects every other of its corners."""
    star = hand.happens(0.4)
    corners, step = (int(hand.rng.integers(5, 8)), 2) if star else (int(hand.rng.integers(3, 5)), 1)
    start = hand.between(0, 2 * np.pi)
    angles = [start + 2 * np.pi * step * k / corners for k in range(corners + 1)]
    return [hand.line(*((0.5 + 0.5 * float(np.cos(a)), 0.5 + 0.5 * float(np.sin(a))) for a in angles))]


def _heart(hand: Hand) -> list[Stroke]:
    t = np.linspace(0, 2 * np.pi, 60)
    x, y = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [np.stack([x / 32 + 0.5, 0.5 - y / 32], axis=1) * hand.between(0.9, 1.1)]


def _arrow(hand: Hand) -> list[Stroke]:
    angle, head = hand.between(0, 2 * np.pi), hand.between(0.2, 0.4)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    tip = 0.5 * along
    sides = [tip - head * along + side * head * 0.7 * across for side in (1, -1)]
    shaft = line(tuple(-0.5 * along), tuple(tip))
    if hand.happens(0.3):  # two heads
        sides_back = [-tip + head * along + side * head * 0.7 * across for side in (1, -1)]
        return [shaft, *(line(tuple(tip), tuple(s)) for s in sides), *(line(tuple(-tip), tuple(s)) for s in sides_back)]
    return [shaft, *(line(tuple(tip), tuple(side)) for side in sides)]


def _spiral(hand: Hand) -> list[Stroke]:
    turns = hand.between(1.8, 4)
    t = np.linspace(0.05, 1, 80)
    angle = hand.between(0, 6) + hand.choose((-1, 1)) * 2 * np.pi * turns * t
    return [np.stack([0.5 + 0.5 * t * np.cos(angle), 0.5 + 0.5 * t * np.sin(angle)], axis=1)]


def _cross(hand: Hand) -> list[Stroke]:
    """Lines through one point: a cross, an asterisk."""
    lines, start = int(hand.rng.integers(2, 5)), hand.between(0, np.pi)
    angles = [start + np.pi * k / lines for k in range(lines)]
    ends = [(0.5 * float(np.cos(a)), 0.5 * float(np.sin(a))) for a in angles]
    return [hand.line((-x, -y), (x, y)) for x, y in ends]


def _grid(hand: Hand) -> list[Stroke]:
    columns, rows = (int(n) for n in hand.rng.integers(2, 5, 2))
    return [
        *(hand.line((0.0, y), (1.0, y)) for y in np.linspace(0.1, 0.9, rows)),
        *(hand.line((x, 0.0), (x, 1.0)) for x in np.linspace(0.1, 0.9, columns)),
    ]


def _wave(hand: Hand) -> list[Stroke]:
    turns, high = hand.between(1.5, 4), hand.between(0.15, 0.6)
    x = np.linspace(0, 1, 60)
    phase = turns * x + hand.between(0, 1)
    y = np.sin(2 * np.pi * phase) if hand.happens(0.5) else 2 * np.abs(2 * (phase % 1) - 1) - 1
    return [np.stack([x, 0.5 + high / 2 * y], axis=1)]


def _dashes(hand: Hand) -> list[Stroke]:
    """A level dash or two, a tick, a bracket: little ink, and none of it a digit."""
    kind = hand.choose(("dash", "equals", "tick", "corner", "dots"))
    if kind == "dash":
        return [hand.curve((0.0, 0.5), (0.5, hand.between(0.45, 0.55)), (1.0, 0.5))]
    if kind == "equals":
        return [hand.line((0.0, y), (0.8, y)) for y in (0.0, hand.between(0.2, 0.5))]
    if kind == "tick":
        return [hand.line((0.0, 0.6), (0.25, 1.0), (hand.between(0.8, 1.1), 0.0))]
    if kind == "corner":
        return [hand.line((0.0, 0.0), (0.0, 1.0), (hand.between(0.6, 1.0), 1.0))]
    places = hand.rng.random((int(hand.rng.integers(3, 9)), 2))
    return [line((x, y), (x + 0.02, y)) for x, y in places.tolist()]


def _face(hand: Hand) -> list[Stroke]:
    wide = hand.between(0.4, 0.55)
    strokes = [arc((0.5, 0.5), (wide, 0.5), 0, hand.between(350, 370))]
    apart, height = hand.between(0.12, 0.22), hand.between(0.3, 0.42)
    strokes += [arc(hand.at(0.5 + side * apart, height), (0.03, 0.04), 0, 360) for side in (-1, 1)]
    if hand.happens(0.5):
        strokes.append(hand.line((0.5, 0.45), (0.5, 0.6)))
    mood = hand.between(-0.15, 0.15)
    strokes.append(hand.curve((0.3, 0.72 - mood / 2), (0.5, 0.72 + mood / 2), (0.7, 0.72 - mood / 2)))
    return strokes


def _house(hand: Hand) -> list[Stroke]:
    return [
        hand.line((0.0, 0.45), (0.5, 0.0), (1.0, 0.45)),
        hand.line((0.1, 0.4), (0.1, 1.0), (0.9, 1.0), (0.9, 0.4)),
        hand.line((0.4, 1.0), (0.4, 0.65), (0.6, 0.65), (0.6, 1.0)),
    ]


def _figure(hand: Hand) -> list[Stroke]:
    """A stick figure."""
    return [
        arc((0.5, 0.15), (0.14, 0.15), 0, 365),
        hand.line((0.5, 0.3), (0.5, 0.65)),
        hand.line((0.2, hand.between(0.3, 0.55)), (0.5, 0.42), (0.8, hand.between(0.3, 0.55))),
        hand.line((0.25, 1.0), (0.5, 0.65), (0.75, 1.0)),
    ]


def _scribble(hand: Hand) -> list[Stroke]:
    """The pen moved to and fro."""
    points: list[Point] = [tuple(p) for p in hand.rng.random((int(hand.rng.integers(8, 25)), 2)).tolist()]
    return [curve(*points) if hand.happens(0.6) else line(*points)]


def _strokes(hand: Hand) -> list[Stroke]:
    """A few strokes without a meaning."""
    count = int(hand.rng.integers(3, 8))
    bends = hand.rng.integers(2, 5, count)
    return [curve(*(tuple(point) for point in hand.rng.random((int(points), 2)).tolist())) for points in bends]


def _blot(hand: Hand) -> list[Stroke]:
    """A filled shape: strokes so close that they merge."""
    wide, high = hand.between(0.3, 1), hand.between(0.3, 1)
    lines = []
    for y in np.linspace(0, high, 24):
        half = wide / 2 * float(np.sqrt(max(0.02, 1 - (2 * y / high - 1) ** 2)))
        lines.append(line((0.5 - half, float(y)), (0.5 + half, float(y))))
    return [joined(*lines)]


OTHERS: dict[str, Other] = {
    "letter": Other(_letter, share=14),
    "sign": Other(_sign, share=3),
    "word": Other(glyphs.word, share=3),
    "several digits": Other(_digits, share=4),
    "polygon or star": Other(_polygon, share=1.5),
    "heart": Other(_heart, share=0.5),
    "arrow": Other(_arrow, share=1),
    "spiral": Other(_spiral, share=0.5),
    "cross": Other(_cross, share=1),
    "grid": Other(_grid, share=0.5),
    "wave": Other(_wave, share=1),
    "dashes": Other(_dashes, share=1),
    "face": Other(_face, share=1.5),
    "house": Other(_house, share=0.4),
    "stick figure": Other(_figure, share=0.6),
    "scribble": Other(_scribble, share=1.5),
    "strokes": Other(_strokes, share=1.5),
    "blot": Other(_blot, share=0.5),
}
"""The kinds by name."""
