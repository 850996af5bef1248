"""Measures of a trained network on one set of images: pure functions of probabilities and labels."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959963984540054
"""Standard normal quantile at 97.5%: a two-sided 95% interval."""


@dataclass(frozen=True)
class Mistake:
    """One image that was read wrong.

    Attributes:
        index: Its place in the set.
        label: The true class.
        predicted: The class that was said.
        confidence: The probability that was given to it, 0 to 1.
    """

    index: int
    label: int
    predicted: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """How well a set of images was read.

    Attributes:
        count: Images measured.
        accuracy: Share read right, 0 to 1.
        interval: 95% Wilson interval of the accuracy, (low, high).
        loss: Mean cross-entropy, in nats.
        calibration_error: Expected calibration error, 0 to 1: see `expected_calibration_error`.
        per_class: Share read right of each true class; 0 for a class of which there is no image.
        confusion: confusion[true][predicted], counts.
        mistakes: The wrong readings, the most confident first.
    """

    count: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    calibration_error: float
    per_class: tuple[float, ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


def evaluate(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], *, keep_mistakes: int = 60
) -> Evaluation:
    """Measure predictions.

    Args:
        probabilities: (N, K), rows that sum to 1; N at least 1.
        labels: (N,), the true classes.
        keep_mistakes: How many mistakes to list.
    """
    count, classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    right = predicted == labels
    cell = labels.astype(np.intp) * classes + predicted  # in uint8, the product would wrap around beyond 255
    confusion = np.bincount(cell, minlength=classes**2).reshape(classes, classes)
    # The smallest positive float32 keeps log finite where a probability has underflowed to 0.
    true_probability = np.maximum(probabilities[np.arange(count), labels], np.finfo(np.float32).tiny)
    return Evaluation(
        count=count,
        accuracy=float(right.mean()),
        interval=wilson_interval(int(right.sum()), count),
        loss=float(-np.log(true_probability, dtype=np.float64).mean()),
        calibration_error=expected_calibration_error(probabilities, labels),
        per_class=tuple(float(v) for v in np.diag(confusion) / np.maximum(confusion.sum(axis=1), 1)),
        confusion=tuple(tuple(int(v) for v in row) for row in confusion),
        mistakes=_mistakes(probabilities, labels, predicted, keep_mistakes),
    )


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """95% score interval of a proportion (Wilson 1927), sound near 0 and 1, where p ± 2σ is not."""
    p, z2 = successes / count, _Z95**2
    center = (p + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z95 * sqrt(p * (1 - p) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    # The interval contains p; without saying so, rounding would leave 0 or 1 out by 10⁻¹⁶.
    return max(0.0, min(p, center - half)), min(1.0, max(p, center + half))


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], *, bins: int = 15
) -> float:
    """Σ_b (n_b / N) |accuracy_b − confidence_b| over equal bins of confidence (Guo et al. 2017, eq. 3).

    0 where "I am 80% sure" is right 80% of the time.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    gap = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def _mistakes(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], predicted: NDArray[np.integer], keep: int
) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(predicted != labels)
    confidence = probabilities[wrong, predicted[wrong]]
    worst = wrong[np.argsort(-confidence, kind="stable")][:keep]
    return tuple(
        Mistake(int(i), int(labels[i]), int(predicted[i]), float(probabilities[i, predicted[i]])) for i in worst
    )
