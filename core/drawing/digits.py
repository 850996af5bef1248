"""Digits as people write them, stroke by stroke: one function for each digit, and a table of the styles.

The styles are those in which handwriting differs between countries and schools: the 1 with a flag and a foot, the
crossed or hooked 7, the open or closed 4, the slashed 0, and so on.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from core.drawing.hand import Hand, Stroke, arc, curve, joined, line


class Style(NamedTuple):
    """One way to write a digit.

    Attributes:
        digit: 0 to 9.
        draw: Gives its strokes, anew at each call.
        share: How often it is drawn, relative to the other styles. Those of a digit add up to 3, because a digit that
            is drawn more often than another one would win where a picture may be either; only the 1, to which MNIST
            does least justice, has 5.
        turn: By how much it may be turned, in degrees. A 1 with a flag that is turned further would be a 7.
    """

    digit: int
    draw: Callable[[Hand], list[Stroke]]
    share: float
    turn: float = 12


def _zero(hand: Hand, *, mark: str = "") -> list[Stroke]:
    width, start = hand.between(0.22, 0.42), hand.between(-160, -40)
    way = hand.choose((-1, 1))
    rx, ry = width * hand.between(0.95, 1.05), 0.5
    oval = arc((0.4, 0.5), (rx, ry), start, start + way * hand.between(345, 385))
    oval = oval + np.linspace(0, 1, len(oval))[:, np.newaxis] * np.array(hand.rng.normal(0, 0.03, 2))
    if mark == "slash":
        reach = hand.between(0.55, 1.2)
        rise = hand.between(0.3, 0.42)
        return [oval, hand.line((0.4 - rx * reach, 0.5 + rise * reach), (0.4 + rx * reach, 0.5 - rise * reach))]
    if mark == "dot":
        length = hand.between(0.02, 0.12)
        return [oval, hand.line((0.4 - length / 2, 0.5 + length / 4), (0.4 + length / 2, 0.5 - length / 4))]
    return [oval]


def _one(hand: Hand, *, flag: bool, foot: bool) -> list[Stroke]:
    lean = hand.between(-0.06, 0.12)
    top, bottom = (0.5 + lean, 0.0), (0.5 - lean, 1.0)
    bend = hand.between(-0.02, 0.02)
    stem = curve(top, (0.5 + bend, 0.5), bottom)
    strokes = [stem]
    if flag:
        # A long flag hangs down steeply: the more level and the longer it is, the more the digit becomes a 7.
        length = hand.between(0.12, 0.62)
        steepest, flattest = 72.0, 22 + 38 * length
        angle = np.radians(hand.between(flattest, steepest))
        tip = (top[0] - length * np.cos(angle), top[1] + length * np.sin(angle))
        middle = ((tip[0] + top[0]) / 2 + hand.between(-0.02, 0.03), (tip[1] + top[1]) / 2 + hand.between(-0.01, 0.04))
        strokes = [joined(curve(tip, middle, top), stem)] if hand.happens(0.8) else [stem, curve(tip, middle, top)]
    if foot:
        left, right = hand.between(0.08, 0.34), hand.between(0.08, 0.34)
        tilt = hand.between(-0.04, 0.04)
        ends = (bottom[0] - left, bottom[1] + tilt), (bottom[0] + right, bottom[1] - tilt)
        strokes.append(curve(ends[0], hand.at(*bottom), ends[1]))
    return strokes


def _two(hand: Hand, *, loop: bool) -> list[Stroke]:
    width = hand.between(0.5, 0.75)
    wave = hand.between(-0.06, 0.06)
    top = [(0.0, hand.between(0.18, 0.34)), (0.12 * width, 0.08), (width / 2, 0.0), (0.92 * width, 0.14)]
    if loop:
        size = hand.between(0.06, 0.16)
        body = [(0.85 * width, 0.42), (0.35 * width, 0.82), (0.08, 1.0), (-0.02, 0.97 - size), (0.12, 0.95 - size)]
        return [hand.curve(*top, *body, (0.5 * width, 0.97), (1.15 * width, 0.95 + wave))]
    down = hand.curve(*top, (0.88 * width, 0.36), (0.45 * width, 0.7), (0.0, 1.0))
    middle, end = hand.at(0.5 * width, 1.0 + wave), hand.at(hand.between(0.95, 1.2) * width, 1.0 - wave)
    return [joined(down, curve(tuple(down[-1]), middle, end))]


def _three(hand: Hand, *, flat: bool) -> list[Stroke]:
    width, waist = hand.between(0.42, 0.62), hand.between(0.38, 0.5)
    inner = hand.between(0.2, 0.6) * width
    below = [(width, (1 + waist) / 2), (0.55 * width, 1.0), (0.0, hand.between(0.82, 0.95))]
    if flat:
        top = hand.line((0.02, 0.0), (0.95 * width, 0.0), (inner, waist))
        return [joined(top, curve(tuple(top[-1]), hand.at(0.75 * width, waist + 0.05), *(hand.at(*p) for p in below)))]
    above = [(0.02, 0.12), (0.5 * width, 0.0), (0.95 * width, 0.2), (0.7 * width, waist - 0.05), (inner, waist)]
    return [hand.curve(*above, (0.7 * width, waist + 0.06), *below)]


def _four(hand: Hand, *, closed: bool, crossed: bool = True) -> list[Stroke]:
    bar, stem = hand.between(0.55, 0.72), hand.between(0.4, 0.52)
    lean = hand.between(-0.02, 0.1)
    meeting = stem + lean * (1 - 2 * bar)  # x of the stem at the height of the bar
    right = stem + hand.between(0.06, 0.28) if crossed else meeting + hand.between(-0.03, 0.04)
    if closed:
        first = hand.line((stem + lean, 0.0), (0.0, bar), (right, bar))
        return [first, hand.line((stem + lean, hand.between(-0.02, 0.04)), (stem - lean, 1.0))]
    left = hand.between(0.0, 0.12)
    turn = [(left, 0.0), (0.0, 0.62 * bar), (0.02, bar), (right, bar - hand.between(-0.03, 0.06))]
    first = hand.line(*turn) if hand.happens(0.5) else hand.curve(*turn[:1], turn[1], (0.04, bar), *turn[3:])
    return [first, hand.line((stem + lean, hand.between(-0.05, 0.4)), (stem - lean, 1.0))]


def _five(hand: Hand, *, strokes: int) -> list[Stroke]:
    width, neck = hand.between(0.45, 0.65), hand.between(0.36, 0.48)
    end = (-0.02, hand.between(0.85, 0.97))
    belly = [(0.5 * width, neck - 0.06), (width, 0.5 * (neck + 1)), (0.55 * width, 1.0), end]
    left = hand.between(0.0, 0.12)
    roof = (hand.between(0.75, 1.1) * width, hand.between(-0.06, 0.05))
    if strokes == 1:
        down = hand.line(roof, (left + 0.05, 0.0), (left, neck))
        return [joined(down, curve(tuple(down[-1]), *(hand.at(*point) for point in belly)))]
    down = hand.line((left + 0.03, 0.02), (left, neck))
    gap = hand.between(0.0, 0.1)
    body = joined(down, curve(tuple(down[-1]), *(hand.at(*point) for point in belly)))
    return [body, hand.line((left + 0.02 + gap, 0.0), roof)]


def _six(hand: Hand, *, curled: bool) -> list[Stroke]:
    width, loop = hand.between(0.42, 0.62), hand.between(0.42, 0.6)
    top = [(width, 0.1), (0.75 * width, 0.0)] if curled else [(hand.between(0.4, 0.8) * width, 0.0)]
    ring = [(0.5 * width, 1.0), (width, 1 - loop / 2), (0.55 * width, 1 - loop), (0.06, 1 - 0.35 * loop)]
    return [hand.curve(*top, (0.14 * width, 0.42), (0.0, 0.75), *ring)]


def _seven(hand: Hand, *, crossed: bool, hooked: bool) -> list[Stroke]:
    width, tilt = hand.between(0.5, 0.75), hand.between(-0.05, 0.07)
    end, bend = hand.between(0.08, 0.4) * width, hand.between(-0.05, 0.1)
    bar = hand.line((0.0, tilt), (width, 0.0))
    if hooked:
        bar = joined(hand.line((hand.between(-0.03, 0.04), tilt + hand.between(0.08, 0.22)), tuple(bar[0])), bar)
    if hand.happens(0.25):  # a wavy bar
        bar = bar + np.stack([np.zeros(len(bar)), 0.03 * np.sin(np.linspace(0, 6, len(bar)))], axis=1)
    stem = curve(tuple(bar[-1]), ((width + end) / 2 - bend, 0.5), (end, 1.0))
    strokes = [joined(bar, stem)]
    if crossed:
        height, reach = hand.between(0.42, 0.6), hand.between(0.12, 0.26)
        middle = width + (end - width) * height - bend
        slope = hand.between(-0.06, 0.06)
        strokes.append(hand.line((middle - reach, height + slope), (middle + reach, height - slope)))
    return strokes


def _eight(hand: Hand, *, rings: bool) -> list[Stroke]:
    waist = hand.between(0.4, 0.5)
    upper, lower = hand.between(0.18, 0.26), hand.between(0.22, 0.32)
    if rings:
        start = hand.between(0, 360)
        above = arc(hand.at(0.3, waist / 2), (upper, waist / 2), start, start + 370)
        return [above, arc(hand.at(0.3, (1 + waist) / 2), (lower, (1 - waist) / 2), -90, -90 + 370)]
    points = [(0.3 + upper, 0.12), (0.3, 0.0), (0.3 - upper, 0.2), (0.3, waist), (0.3 + lower, 0.75), (0.3, 1.0)]
    back = [(0.3 - lower, 0.77), (0.3, waist + 0.02), (0.3 + upper, 0.22)]
    return [hand.curve(*points, *back, (0.3 + upper * hand.between(0.2, 0.9), hand.between(0.0, 0.1)))]


def _nine(hand: Hand, *, tail: str) -> list[Stroke]:
    width, loop = hand.between(0.4, 0.6), hand.between(0.42, 0.58)
    ring = [(width, 0.12), (0.5 * width, 0.0), (0.0, 0.52 * loop), (0.45 * width, loop), (width, 0.45 * loop)]
    hook = (hand.between(-0.15, 0.05), hand.between(0.75, 0.88))
    ends = {
        "straight": [(width, 0.7), (hand.between(0.75, 1.1) * width, 1.0)],
        "round": [(0.98 * width, 0.65), (0.75 * width, 0.93), (hand.between(0.1, 0.4) * width, 1.0)],
        "hooked": [(width, 0.75), (0.65 * width, 1.0), (0.1 * width, 0.95), hook],
    }
    if tail == "straight":
        circle = hand.curve(*ring, (width, 0.12))
        return [joined(circle, line(tuple(circle[-1]), *(hand.at(*point) for point in ends[tail])))]
    return [hand.curve(*ring[:4], (0.96 * width, 0.35 * loop), *ends[tail])]


STYLES: dict[str, Style] = {
    "0": Style(0, _zero, share=0.75),
    "0 slashed": Style(0, partial(_zero, mark="slash"), share=1.5),
    "0 dotted": Style(0, partial(_zero, mark="dot"), share=0.75),
    "1 bare": Style(1, partial(_one, flag=False, foot=False), share=0.5),
    "1 with flag": Style(1, partial(_one, flag=True, foot=False), share=2, turn=6),
    "1 with foot": Style(1, partial(_one, flag=False, foot=True), share=1),
    "1 with flag and foot": Style(1, partial(_one, flag=True, foot=True), share=1.5),
    "2": Style(2, partial(_two, loop=False), share=1.5),
    "2 with loop": Style(2, partial(_two, loop=True), share=1.5),
    "3": Style(3, partial(_three, flat=False), share=1.5),
    "3 with flat top": Style(3, partial(_three, flat=True), share=1.5),
    "4 open": Style(4, partial(_four, closed=False), share=1),
    "4 open, not crossed": Style(4, partial(_four, closed=False, crossed=False), share=1),
    "4 closed": Style(4, partial(_four, closed=True), share=1),
    "5 in one stroke": Style(5, partial(_five, strokes=1), share=1.5),
    "5 in two strokes": Style(5, partial(_five, strokes=2), share=1.5),
    "6": Style(6, partial(_six, curled=False), share=1.5),
    "6 curled": Style(6, partial(_six, curled=True), share=1.5),
    "7": Style(7, partial(_seven, crossed=False, hooked=False), share=0.75, turn=6),
    "7 crossed": Style(7, partial(_seven, crossed=True, hooked=False), share=0.75),
    "7 hooked": Style(7, partial(_seven, crossed=False, hooked=True), share=0.75, turn=6),
    "7 crossed and hooked": Style(7, partial(_seven, crossed=True, hooked=True), share=0.75),
    "8": Style(8, partial(_eight, rings=False), share=1.5),
    "8 of two rings": Style(8, partial(_eight, rings=True), share=1.5),
    "9 straight": Style(9, partial(_nine, tail="straight"), share=0.75),
    "9 round": Style(9, partial(_nine, tail="round"), share=0.75),
    "9 hooked": Style(9, partial(_nine, tail="hooked"), share=1.5),
}
"""The styles by name; a name begins with its digit."""
