"""The numbers in the report's tables about mistakes: pure functions of an evaluation."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor
from typing import Self

import numpy as np

from core.artifact.manifest import Manifest, Metrics, Share
from core.measure.evaluate import Evaluation


@dataclass(frozen=True)
class Confusion:
    """One kind of mistake.

    Attributes:
        label: The true class.
        predicted: The class that was read instead.
        count: How often.
        share: Of all images of the true class, 0 to 1.
    """

    label: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class ClassRow:
    """Measures of one class. A share without any image to count is None.

    Attributes:
        label: The class.
        count: How many test images show it.
        accuracy: The share of them that was read correctly (recall).
        interval: 95% Wilson interval of that share.
        precision: Of the images that were read as this class, the share that show it.
        validation: The share of its validation images that was read correctly.
    """

    label: str
    count: int
    accuracy: float | None
    interval: tuple[float, float] | None
    precision: float | None
    validation: float | None


@dataclass(frozen=True)
class Axis:
    """A scale of shares that ends at 100% and begins just below the smallest share shown.

    Attributes:
        start: The share at its left end, a multiple of 5%.
    """

    start: float

    @classmethod
    def of(cls, shares: Iterable[float]) -> Self:
        """The shortest axis that contains these shares, at least 5% long."""
        return cls(min((floor(share * 20) / 20 for share in shares if share < 1), default=0.95))

    def place(self, share: float) -> float:
        """The position of a share between the two ends, 0 to 1."""
        return (share - self.start) / (1 - self.start)


def rejected(manifest: Manifest) -> list[tuple[str, Share, str]]:
    """Each group of images that the rejection was measured on: its description, what was found, and the ideal."""
    measured = manifest.rejection_metrics
    if measured is None:
        return []
    drawn = [] if measured.drawn_digits is None else [("drawn digits", measured.drawn_digits, "0%")]
    return [
        ("test images", measured.digits, "0%"),
        *drawn,
        ("drawn images that show no digit", measured.others, "100%"),
    ]


def wrong_count(evaluation: Evaluation) -> int:
    """How many images were read incorrectly in all; `evaluation.mistakes` lists only the worst."""
    confusion = np.asarray(evaluation.confusion)
    return int(confusion.sum() - np.trace(confusion))


def heat(evaluation: Evaluation) -> list[list[float]]:
    """Shading of each cell of the confusion matrix, 0 to 1: its count over the largest off the diagonal."""
    mistakes = np.asarray(evaluation.confusion, dtype=np.float64)
    np.fill_diagonal(mistakes, 0)  # correct answers, a hundred times as many, would hide the mistakes
    shades: list[list[float]] = (mistakes / max(mistakes.max(), 1)).tolist()
    return shades


def top_confusions(evaluation: Evaluation, labels: tuple[str, ...], keep: int = 3) -> list[Confusion]:
    """The most frequent kinds of mistake, most frequent first; ties in the order of the classes."""
    found = [
        Confusion(labels[i], labels[j], count, count / sum(row))
        for i, row in enumerate(evaluation.confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda confusion: -confusion.count)[:keep]


def classes(evaluation: Evaluation, validation: Metrics, labels: tuple[str, ...]) -> list[ClassRow]:
    """One row for each class."""
    confusion = np.asarray(evaluation.confusion)
    truly, said, right = (v.tolist() for v in (confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)))
    return [
        ClassRow(
            label=label,
            count=truly[k],
            accuracy=right[k] / truly[k] if truly[k] else None,
            interval=evaluation.per_class_intervals[k] if truly[k] else None,
            precision=right[k] / said[k] if said[k] else None,
            validation=validation.per_class[k] if k < len(validation.per_class) else None,
        )
        for k, label in enumerate(labels)
    ]
