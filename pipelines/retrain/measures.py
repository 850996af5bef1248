"""What is measured of a trained network, once, after every choice has been made; and how a manifest records it."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Golden, Metrics, Robustness
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.digit import LABELS
from core.inference.predict import Predictor
from core.measure.calibration import fit_temperature
from core.measure.corruptions import CORRUPTIONS, robustness
from core.measure.evaluate import Accuracy, Evaluation, evaluate
from core.nn.losses import softmax
from core.nn.sequential import Sequential

_CORRUPTED_EVERY = 4
"""Every fourth test image is altered in each of the ten ways: 2,500 of 10,000. Together they cost two and a half times
as much as the plain test set, and each accuracy is known to within 2 points, or to within 1 if it is high. Every fourth
rather than the first 2,500, because the two halves of the test set were written by different groups of people.
"""


@dataclass(frozen=True)
class Evaluations:
    """What was measured of a trained network, and the golden outputs that every later load is checked against.

    Attributes:
        validation: Measured with the temperature, which was fitted on these images.
        test: Measured with it too, on images that had no influence on any choice.
        temperature: See `core.measure.calibration`.
        robustness: On altered test images, by the corruption's name: see `core.measure.corruptions`.
        golden: Inputs and outputs.
    """

    validation: Evaluation
    test: Evaluation
    temperature: float
    robustness: dict[str, Accuracy]
    golden: Golden


def measure(network: Sequential, normalizer: Normalizer, validation: Labeled, test: Labeled) -> Evaluations:
    """Fit the temperature on the validation images; measure with it on both sets, and on altered test images."""
    plain = Predictor(network, normalizer, LABELS)
    validation_logits = plain.logits(validation.images)
    temperature = fit_temperature(validation_logits, validation.labels)

    def evaluated(logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> Evaluation:
        return evaluate(softmax(logits / temperature), labels, raw=softmax(logits))

    return Evaluations(
        validation=evaluated(validation_logits, validation.labels),
        test=evaluated(plain.logits(test.images), test.labels),
        temperature=temperature,
        robustness=robustness(plain.logits, test.images[::_CORRUPTED_EVERY], test.labels[::_CORRUPTED_EVERY]),
        golden=_golden(Predictor(network, normalizer, LABELS, temperature), test),
    )


def sentences(measured: Evaluations) -> list[str]:
    """The measures as messages, in three lines."""
    validation, test, corrupted = measured.validation, measured.test, measured.robustness
    low, high = test.interval
    worst = min(corrupted, key=lambda name: corrupted[name].accuracy)
    return [
        f"evaluated: {test.accuracy:.2%} on {test.count:,} test images (95% interval {low:.2%} to {high:.2%}), "
        f"{validation.accuracy:.2%} on {validation.count:,} validation images",
        f"calibrated: temperature {measured.temperature:.2f}, calibration error on the test images "
        f"{test.calibration_error:.2%} ({test.raw_calibration_error:.2%} before temperature scaling)",
        f"robustness: lowest accuracy on altered test images {corrupted[worst].accuracy:.2%} "
        f"({CORRUPTIONS[worst].description})",
    ]


def as_metrics(evaluation: Evaluation) -> Metrics:
    """As a manifest records it."""
    return Metrics.model_validate(evaluation, from_attributes=True)


def as_robustness(corrupted: dict[str, Accuracy]) -> dict[str, Robustness]:
    """As a manifest records it: with descriptions, because another release may choose other strengths."""
    return {
        name: Robustness(description=CORRUPTIONS[name].description, **asdict(accuracy))
        for name, accuracy in corrupted.items()
    }


def _golden(predictor: Predictor, test: Labeled) -> Golden:
    # The first test image of each digit that occurs, so that every version is probed with the same images.
    _, rows = np.unique(test.labels, return_index=True)
    images = test.images[rows]
    return Golden(images=images.tobytes(), probabilities=predictor.probabilities(images).tolist())
