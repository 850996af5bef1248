"""Measures of a trained network on a set of images: pure functions of probabilities and labels."""

from dataclasses import dataclass
from math import sqrt
from typing import Self

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959963984540054
"""Standard normal quantile at 97.5%: a two-sided 95% interval."""


@dataclass(frozen=True)
class Accuracy:
    """The accuracy on some images.

    Attributes:
        count: Images measured.
        accuracy: Share classified correctly, 0 to 1.
        interval: 95% Wilson interval of the accuracy, (low, high).
    """

    count: int
    accuracy: float
    interval: tuple[float, float]

    @classmethod
    def of(cls, right: NDArray[np.bool_]) -> Self:
        """From (N,) bool, N at least 1: whether each image was classified correctly."""
        return cls(len(right), float(right.mean()), wilson_interval(int(right.sum()), len(right)))


@dataclass(frozen=True)
class Bin:
    """The predictions within one range of confidence: one point of the reliability diagram.

    Attributes:
        count: How many there are, at least 1.
        confidence: Mean probability of the predicted classes, 0 to 1.
        accuracy: Share of the predictions that are correct, 0 to 1.
        interval: 95% Wilson interval of the accuracy, (low, high).
    """

    count: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Mistake:
    """One image that was misclassified.

    Attributes:
        index: Its index in the set.
        label: The true class.
        predicted: The predicted class.
        confidence: The probability of the predicted class, 0 to 1.
    """

    index: int
    label: int
    predicted: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """How well a set of images was classified.

    Attributes:
        count: Images measured.
        accuracy: Share classified correctly, 0 to 1.
        interval: 95% Wilson interval of the accuracy, (low, high).
        loss: Mean cross-entropy, in nats.
        calibration_error: Expected calibration error, 0 to 1: see `expected_calibration_error`.
        raw_calibration_error: The same at temperature 1: see `core.measure.calibration`.
        reliability: How often predictions are correct, by confidence, the least confident first.
        raw_reliability: The same at temperature 1.
        per_class: Accuracy on the images of each true class; 0 for a class without images.
        per_class_intervals: 95% Wilson interval of each of these; (0, 1) for a class without images.
        confusion: confusion[true][predicted], counts.
        mistakes: The misclassified images, the most confident first.
    """

    count: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    calibration_error: float
    raw_calibration_error: float
    reliability: tuple[Bin, ...]
    raw_reliability: tuple[Bin, ...]
    per_class: tuple[float, ...]
    per_class_intervals: tuple[tuple[float, float], ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


def evaluate(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    raw: NDArray[np.floating] | None = None,
    keep_mistakes: int = 60,
) -> Evaluation:
    """Measure predicted probabilities against the true classes.

    Args:
        probabilities: (N, K), rows that sum to 1; N at least 1.
        labels: (N,), the true classes.
        raw: (N, K), the probabilities at temperature 1; None if `probabilities` are at temperature 1 themselves.
        keep_mistakes: How many mistakes to list.
    """
    count, classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    cell = labels.astype(np.intp) * classes + predicted  # in uint8, the product would overflow beyond 255
    confusion = np.bincount(cell, minlength=classes**2).reshape(classes, classes)
    right, of_class = np.diag(confusion).tolist(), confusion.sum(axis=1).tolist()
    # The smallest normal float32 keeps the logarithm finite where a probability has underflowed to 0.
    true_probability = np.maximum(probabilities[np.arange(count), labels], np.finfo(np.float32).tiny)
    total = Accuracy.of(predicted == labels)
    raw = probabilities if raw is None else raw
    return Evaluation(
        count=total.count,
        accuracy=total.accuracy,
        interval=total.interval,
        loss=float(-np.log(true_probability, dtype=np.float64).mean()),
        calibration_error=expected_calibration_error(probabilities, labels),
        raw_calibration_error=expected_calibration_error(raw, labels),
        reliability=reliability(probabilities, labels),
        raw_reliability=reliability(raw, labels),
        per_class=tuple(k / max(n, 1) for k, n in zip(right, of_class, strict=True)),
        per_class_intervals=tuple(map(wilson_interval, right, of_class)),
        confusion=tuple(tuple(int(v) for v in row) for row in confusion),
        mistakes=_mistakes(probabilities, labels, predicted, keep_mistakes),
    )


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """95% score interval of a proportion (Wilson 1927), which is valid near 0 and 1, where p ± 2σ is not.

    Without a trial nothing is known: (0, 1).
    """
    if count == 0:
        return 0.0, 1.0
    p, z2 = successes / count, _Z95**2
    center = (p + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z95 * sqrt(p * (1 - p) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    # The interval contains p; without this, rounding could exclude 0 or 1 by 10⁻¹⁶.
    return max(0.0, min(p, center - half)), min(1.0, max(p, center + half))


def reliability(probabilities: NDArray[np.floating], labels: NDArray[np.integer], *, bins: int = 15) -> tuple[Bin, ...]:
    """How often predictions are correct, over equal bins of their confidence (Guo et al. 2017, §2).

    Args:
        probabilities: (N, K), rows that sum to 1.
        labels: (N,), the true classes.
        bins: The number of bins between 0 and 1.

    Returns:
        The bins that hold a prediction, the least confident first.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.intp), bins - 1)  # confidence 1 belongs to the last bin
    count, said, true = (np.bincount(bin_of, weights, bins) for weights in (None, confidence, right))
    return tuple(
        Bin(n, float(said[b] / n), float(true[b] / n), wilson_interval(int(true[b]), n))
        for b, n in enumerate(count.tolist())
        if n
    )


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], *, bins: int = 15
) -> float:
    """Σ_b (n_b / N) |accuracy_b − confidence_b| over equal bins of confidence (Guo et al. 2017, eq. 3).

    0 where "I am 80% sure" is right 80% of the time.
    """
    found = reliability(probabilities, labels, bins=bins)
    return sum(b.count * abs(b.accuracy - b.confidence) for b in found) / len(labels)


def _mistakes(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], predicted: NDArray[np.integer], keep: int
) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(predicted != labels)
    confidence = probabilities[wrong, predicted[wrong]]
    worst = wrong[np.argsort(-confidence, kind="stable")][:keep]
    return tuple(
        Mistake(int(i), int(labels[i]), int(predicted[i]), float(probabilities[i, predicted[i]])) for i in worst
    )
