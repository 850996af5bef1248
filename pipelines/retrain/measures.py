"""What is measured of a trained network, once, after every choice has been made; and how a manifest says it."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Golden, Metrics, Robustness
from core.data.normalize import Normalizer
from core.digit import LABELS
from core.inference.predict import Predictor
from core.measure.calibration import fit_temperature
from core.measure.corruptions import CORRUPTIONS, robustness
from core.measure.evaluate import Accuracy, Evaluation, evaluate
from core.nn.losses import softmax
from core.nn.sequential import Sequential

_CORRUPTED_EVERY = 4
"""Every fourth test image is corrupted, in each way: 2,500 of 10,000. Ten ways then cost two and a half times what the
plain test set costs, and each share is known to within 2% either way, or to within 1% where it is high. Spread over the
set, because its two halves were written by different groups of people.
"""


@dataclass(frozen=True)
class Images:
    """Some images and what they show.

    Attributes:
        images: (N, 28, 28) uint8.
        labels: (N,) uint8.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class Evaluations:
    """A trained network on both sets of images, and the golden outputs to check it by wherever it is loaded.

    Attributes:
        validation: With the temperature, which was fitted on these images.
        test: Likewise, on images that decided nothing.
        temperature: See `core.measure.calibration`.
        robustness: On corrupted test images, by the corruption's name: see `core.measure.corruptions`.
        golden: Inputs and outputs.
    """

    validation: Evaluation
    test: Evaluation
    temperature: float
    robustness: dict[str, Accuracy]
    golden: Golden


def measure(network: Sequential, normalizer: Normalizer, validation: Images, test: Images) -> Evaluations:
    """Fit the temperature on the validation images; measure with it on both sets, and on corrupted test images."""
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
    """The same for people, in three lines."""
    validation, test, corrupted = measured.validation, measured.test, measured.robustness
    low, high = test.interval
    worst = min(corrupted, key=lambda name: corrupted[name].accuracy)
    return [
        f"evaluated: {test.accuracy:.2%} on {test.count:,} test images (95% interval {low:.2%} to {high:.2%}), "
        f"{validation.accuracy:.2%} on {validation.count:,} validation images",
        f"calibrated: temperature {measured.temperature:.2f}, calibration error on the test images "
        f"{test.calibration_error:.2%} ({test.raw_calibration_error:.2%} at temperature 1)",
        f"corrupted: at worst {corrupted[worst].accuracy:.2%}, {CORRUPTIONS[worst].description}",
    ]


def as_metrics(evaluation: Evaluation) -> Metrics:
    """As a manifest keeps it."""
    return Metrics.model_validate(evaluation, from_attributes=True)


def as_robustness(corrupted: dict[str, Accuracy]) -> dict[str, Robustness]:
    """As a manifest keeps it: with the strengths in words, which another release may choose otherwise."""
    return {
        name: Robustness(description=CORRUPTIONS[name].description, **asdict(accuracy))
        for name, accuracy in corrupted.items()
    }


def _golden(predictor: Predictor, test: Images) -> Golden:
    # One test image of each digit that occurs; the first ones, so that every version is probed with the same.
    _, rows = np.unique(test.labels, return_index=True)
    images = test.images[rows]
    return Golden(images=images.tobytes(), probabilities=predictor.probabilities(images).tolist())
