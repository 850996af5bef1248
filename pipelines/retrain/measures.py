"""What is measured of a trained network, once, after every choice has been made; and how a manifest records it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Golden, HeldOutAccuracy, Metrics, Rejection, RejectionMetrics, Robustness
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.digit import LABELS, NO_DIGIT
from core.inference.predict import Predictor
from core.measure.calibration import fit_temperature
from core.measure.corruptions import CORRUPTIONS, robustness
from core.measure.evaluate import Accuracy, Evaluation, evaluate
from core.measure.rejection import fit_rejection, share_rejected
from core.nn.losses import softmax
from core.nn.sequential import Sequential
from pipelines.retrain.styles import HeldOut

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
        rejection: Fitted on images that show no digit, and on digits; None without such images.
        rejection_metrics: Measured with it on others.
        new_data: On new data that was held out, by its source; no source without any.
    """

    validation: Evaluation
    test: Evaluation
    temperature: float
    robustness: dict[str, Accuracy]
    golden: Golden
    rejection: Rejection | None = None
    rejection_metrics: RejectionMetrics | None = None
    new_data: dict[str, Accuracy] = field(default_factory=dict)


def measure(
    network: Sequential,
    normalizer: Normalizer,
    validation: Labeled,
    test: Labeled,
    held_out: HeldOut | None = None,
    new_data: Mapping[str, Labeled] | None = None,
) -> Evaluations:
    """Fit the temperature on the validation images; measure with it on both sets, and on altered test images.

    With drawn images that were held out, also fit the rejection on the validation images and the first of these, and
    measure it on the test images and the second. With new data that was held out, also measure how much of each source
    is read correctly.
    """
    plain = Predictor(network, normalizer, LABELS)
    validation_logits = plain.logits(validation.images)
    temperature = fit_temperature(validation_logits, validation.labels)

    def evaluated(logits: NDArray[np.float32], labels: NDArray[np.uint8]) -> Evaluation:
        return evaluate(softmax(logits / temperature), labels, raw=softmax(logits))

    test_logits = plain.logits(test.images)
    rejection = metrics = None
    if held_out is not None:
        drawn_digits, others = _by_kind(plain, held_out.fitting)
        rejection = fit_rejection(np.concatenate([validation_logits, drawn_digits]), others)
        drawn_digits, others = _by_kind(plain, held_out.measuring)
        metrics = RejectionMetrics(
            digits=share_rejected(test_logits, rejection),
            drawn_digits=share_rejected(drawn_digits, rejection) if len(drawn_digits) else None,
            others=share_rejected(others, rejection),
        )
    return Evaluations(
        validation=evaluated(validation_logits, validation.labels),
        test=evaluated(test_logits, test.labels),
        temperature=temperature,
        robustness=robustness(plain.logits, test.images[::_CORRUPTED_EVERY], test.labels[::_CORRUPTED_EVERY]),
        golden=_golden(Predictor(network, normalizer, LABELS, temperature), test),
        rejection=rejection,
        rejection_metrics=metrics,
        new_data={
            source: Accuracy.of(plain.logits(given.images).argmax(axis=1) == given.labels)
            for source, given in (new_data or {}).items()
        },
    )


def sentences(measured: Evaluations) -> list[str]:
    """The measures as messages, a line each."""
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
        *_rejection_sentences(measured.rejection_metrics),
        *(_new_data_sentence(source, found) for source, found in measured.new_data.items()),
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


def as_held_out(measured: Mapping[str, Accuracy]) -> dict[str, HeldOutAccuracy]:
    """As a manifest records it."""
    return {source: HeldOutAccuracy(**asdict(accuracy)) for source, accuracy in measured.items()}


def rejected_shares(measured: RejectionMetrics | None) -> dict[str, float]:
    """The share of each group of images that a version rejects, by the group's name; empty if it rejects none."""
    if measured is None:
        return {}
    groups = {"digits": measured.digits, "drawn_digits": measured.drawn_digits, "others": measured.others}
    return {f"{name}_rejected": found.share for name, found in groups.items() if found is not None}


def _by_kind(predictor: Predictor, drawn: Labeled) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The logits of drawn digits, and those of the images that show none."""
    logits, none = predictor.logits(drawn.images), drawn.labels == NO_DIGIT
    return logits[~none], logits[none]


def _new_data_sentence(source: str, measured: Accuracy) -> str:
    low, high = measured.interval
    return (
        f"new data: {measured.accuracy:.2%} of {measured.count:,} held-out pictures of {source} are read correctly "
        f"(95% interval {low:.2%} to {high:.2%})"
    )


def _rejection_sentences(measured: RejectionMetrics | None) -> list[str]:
    if measured is None:
        return []
    (low, high), digits = measured.others.interval, measured.digits
    return [
        f"rejection: {measured.others.share:.2%} of {measured.others.count:,} drawn images that show no digit are "
        f"rejected (95% interval {low:.2%} to {high:.2%}), and {digits.share:.2%} of {digits.count:,} test images"
    ]


def _golden(predictor: Predictor, test: Labeled) -> Golden:
    # The first test image of each digit that occurs, so that every version is probed with the same images.
    _, rows = np.unique(test.labels, return_index=True)
    images = test.images[rows]
    return Golden(images=images.tobytes(), probabilities=predictor.probabilities(images).tolist())
