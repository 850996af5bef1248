"""Learning curves, as drawings that a page shows without any style of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from service.web.administration.loose import Loose, parsed

__all__ = ["LARGEST", "Chart", "Epoch", "Line", "charts", "history_view", "ticks"]

MOST_EPOCHS = 5000
"""Epochs that are read; the members of an ensemble follow each other."""

MOST_POINTS = 400
"""Points of a line that are drawn: more than there are pixels between them."""

LARGEST = 1e9
"""A loss, or a learning rate, that is larger counts as not known."""

FLAT = 1e-9
"""A range that is narrower is drawn as if it had no height at all."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 468, 14, 226
"""Where the axes lie, in the units of the drawing."""


@dataclass(frozen=True)
class Epoch:
    """One epoch; None where its report does not say."""

    number: int
    train_loss: float | None
    validation_loss: float | None
    train_accuracy: float | None
    validation_accuracy: float | None
    learning_rate: float | None


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        kind: "train" or "validation".
        strokes: The points of each unbroken part, as SVG writes them. What is not known breaks the line.
        last: The last value.
    """

    kind: str
    strokes: list[str]
    last: float | None


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        what: "loss" or "accuracy".
        lines: What it shows.
        rows: The ticks of the upright axis: where, and which value.
        columns: Those of the other: where, and which epoch.
    """

    what: str
    lines: list[Line]
    rows: list[tuple[float, float]]
    columns: list[tuple[float, int]]
    epochs: int


def history_view(data: bytes) -> list[Epoch]:
    """The epochs of a training, numbered from 1.

    Raises:
        DamagedDocumentError: It is no JSON.
    """
    return [_epoch(number, one) for number, one in enumerate(parsed(data).items(MOST_EPOCHS), start=1)]


def _epoch(number: int, one: Loose) -> Epoch:
    return Epoch(
        number=number,
        train_loss=_positive(one.at("train_loss")),
        validation_loss=_positive(one.at("validation_loss")),
        train_accuracy=one.at("train_accuracy").share(),
        validation_accuracy=one.at("validation_accuracy").share(),
        learning_rate=_positive(one.at("learning_rate")),
    )


def _positive(found: Loose) -> float | None:
    number = found.number()
    return number if number is not None and 0 <= number <= LARGEST else None


def charts(history: Sequence[Epoch]) -> list[Chart]:
    """Loss and accuracy by epoch; without what no epoch reports."""
    loss = _chart("loss", [e.train_loss for e in history], [e.validation_loss for e in history])
    accuracy = _chart("accuracy", [e.train_accuracy for e in history], [e.validation_accuracy for e in history])
    return [chart for chart in (loss, accuracy) if chart]


def _chart(what: str, train: Sequence[float | None], validation: Sequence[float | None]) -> Chart | None:
    known = [value for value in (*train, *validation) if value is not None]
    if not known:
        return None
    steps = ticks(0.0 if what == "loss" else min(known), max(known), most=1.0 if what == "accuracy" else None)
    low, high = min(steps[0], *known), max(steps[-1], *known)
    count = len(train)

    def across(index: int) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (index / (count - 1) if count > 1 else 0.5)

    def up(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)

    lines = [
        Line(kind, _strokes(values, across, up), next((v for v in reversed(values) if v is not None), None))
        for kind, values in (("train", train), ("validation", validation))
    ]
    marks = sorted({round(index * (count - 1) / 4) for index in range(5)} if count > 5 else set(range(count)))
    return Chart(
        what, lines, [(round(up(v), 1), v) for v in steps], [(round(across(i), 1), i + 1) for i in marks], count
    )


def _strokes(values: Sequence[float | None], across: Callable[[int], float], up: Callable[[float], float]) -> list[str]:
    step = max(1, ceil(len(values) / MOST_POINTS))
    kept = sorted({*range(0, len(values), step), len(values) - 1})
    strokes: list[list[str]] = [[]]
    for index in kept:
        value = values[index]
        if value is None:
            strokes.append([])
        else:
            strokes[-1].append(f"{across(index):.1f},{up(value):.1f}")
    # A single point is no line; drawn twice, it is a dot with the round ends of the stroke.
    return [" ".join(points if len(points) > 1 else points * 2) for points in strokes if points]


def ticks(low: float, high: float, most: float | None = None) -> list[float]:
    """Three to seven round values that span a range, whose ends may lie a little beyond them.

    Args:
        low: The smallest value, 0 or more.
        high: The largest one, at most `LARGEST`.
        most: A value that no tick exceeds.
    """
    if high - low < FLAT:
        room = high * 0.1 if high > FLAT else 1.0
        low, high = max(0.0, low - room), high + room if most is None else min(high + room, most)
    rough = (high - low) / 4
    power = 10.0 ** floor(log10(rough))
    step = next((power * factor for factor in (1, 2, 5) if power * factor >= rough), power * 10)
    found = [round(n * step, 12) for n in range(floor(low / step), ceil(high / step) + 1)]
    return [value for value in found if most is None or value <= most + FLAT]
