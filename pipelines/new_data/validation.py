"""Validation of the data before training: what would spoil a network is found in a second, not after an hour.

The idea is that of TensorFlow Data Validation (Breck et al., "Data Validation for Machine Learning", 2019): statistics
of the data are compared with what is expected of it, and each anomaly is one sentence. The data set and the new
pictures are looked at apart. A fault of the data set ends the run before it trains. A fault of the new pictures alone
sets them aside, and the training goes on without them: a folder that somebody has filled with garbage shall not keep
the rest from learning. What merely differs is a warning, because new pictures are collected for their being different.
"""

from collections.abc import Iterator

import numpy as np

from core.artifact.spread import features, spread_of
from core.artifact.stability import drift as drift_from
from core.artifact.trusted import Inked, Validated
from core.data.checked import check_labels
from core.data.labeled import Labeled
from core.digit import LABELS
from core.errors import DatasetError
from pipelines.new_data.ink import ink_of
from pipelines.new_data.rules import ValidationSection

_FEWEST = 20
"""New pictures below which their statistics say nothing about them as a whole."""

_FEWEST_FOR_DRIFT = 500
"""Likewise for drift: chance alone gives an index of about (bins − 1) / images."""

_LOPSIDED = 0.5
"""A share of one digit among new pictures that no ten digits have by chance."""

_OTHER_STROKES = 1.5
"""A ratio of stroke widths: 1.5 times as wide is a brush for a pen."""


def validate(data_set: Labeled, new: Labeled, rule: ValidationSection) -> Validated:
    """Look at the data before it is trained on.

    Args:
        data_set: The data set's training split.
        new: The new pictures, which may be none. None repeats another: see `pipelines.new_data.collected`.
        rule: The thresholds.

    Returns:
        What was found. By the verdict "set aside", the new pictures must not be trained on.

    Raises:
        DatasetError: The data set itself is at fault, or a label is no digit.
    """
    for images in (data_set, new):
        check_labels(images.labels, len(LABELS))
    usual = ink_of(data_set)
    for fault in _faults(usual, rule):
        raise DatasetError(f"the training images cannot be trained on: {fault}")
    findings = list(_remarks(usual, rule))
    if not len(new):
        return Validated(verdict="warned" if findings else "passed", findings=tuple(findings), data_set=usual)
    found = ink_of(new)
    drift = None
    if len(new) >= _FEWEST_FOR_DRIFT:
        drift = drift_from(spread_of(data_set.images, data_set.labels, len(LABELS)), features(new.images))
    faults = list(_new_faults(found, rule))
    findings += faults or _new_remarks(found, usual, drift, rule)
    return Validated(
        verdict="set aside" if faults else "warned" if findings else "passed",
        findings=tuple(findings),
        data_set=usual,
        new=found,
        drift=drift,
    )


def sentence(found: Validated) -> str:
    """The outcome as a message."""
    usual = found.data_set
    rarest = int(np.argmin(usual.per_digit))
    words = (
        f"validated: {found.verdict}; {usual.count:,} images of MNIST, {usual.per_digit[rarest]:,} of the rarest digit "
        f"({rarest}), mean ink {usual.mean:.1f}, strokes {usual.stroke:.1f} pixels wide"
    )
    if found.new:
        words += f"; {found.new.count:,} new pictures, mean ink {found.new.mean:.1f}"
    if found.drift is not None:
        words += f", drift {found.drift:.2f}"
    return words


def _faults(usual: Inked, rule: ValidationSection) -> Iterator[str]:
    """What makes a data set useless."""
    if missing := [LABELS[k] for k, count in enumerate(usual.per_digit) if not count]:
        yield f"none of {usual.count:,} shows {' or '.join(missing)}, expected all ten digits"
    yield from _ink_faults(usual, rule)


def _remarks(usual: Inked, rule: ValidationSection) -> Iterator[str]:
    """What is odd about a data set."""
    for k, count in enumerate(usual.per_digit):
        if count < rule.rarest_digit * usual.count:
            yield (
                f"the training images: {count:,} of {usual.count:,} show {LABELS[k]}, expected at least "
                f"{rule.rarest_digit:.1%} (data.validation.rarest_digit)"
            )
    if usual.repeated > rule.most_repeated:
        yield (
            f"the training images: {usual.repeated:.1%} repeat an earlier one, expected at most "
            f"{rule.most_repeated:.1%} (data.validation.most_repeated)"
        )


def _new_faults(found: Inked, rule: ValidationSection) -> Iterator[str]:
    """What makes new pictures useless as a whole."""
    if found.count >= _FEWEST:
        for fault in _ink_faults(found, rule):
            yield f"the new pictures are set aside: {fault}"


def _new_remarks(found: Inked, usual: Inked, drift: float | None, rule: ValidationSection) -> Iterator[str]:
    """What is odd about new pictures."""
    if found.count < _FEWEST:
        return
    most = int(np.argmax(found.per_digit))
    if found.per_digit[most] > _LOPSIDED * found.count:
        yield (
            f"the new pictures: {found.per_digit[most]:,} of {found.count:,} are said to show {LABELS[most]}; "
            "expected a mixture of digits"
        )
    if not 1 / _OTHER_STROKES < found.stroke / max(usual.stroke, 1e-9) < _OTHER_STROKES:
        yield (
            f"the new pictures: strokes {found.stroke:.1f} pixels wide, those of the training images are "
            f"{usual.stroke:.1f}; were they framed as served pictures are?"
        )
    if drift is not None and drift > rule.most_drift:
        yield (
            f"the new pictures: drift {drift:.2f} from the training images, above {rule.most_drift:g} "
            "(data.validation.most_drift); look at some of them"
        )


def _ink_faults(found: Inked, rule: ValidationSection) -> Iterator[str]:
    low, high = rule.ink
    if not low <= found.mean <= high:
        yield (
            f"their mean ink is {found.mean:.1f}, expected {low:g} to {high:g} (data.validation.ink), on 0 background "
            "to 255 ink; are they dark on light, or empty?"
        )
    elif found.blank + found.full > rule.most_blank:
        yield (
            f"{found.blank:.1%} of them are blank and {found.full:.1%} are filled with ink, expected at most "
            f"{rule.most_blank:.1%} together (data.validation.most_blank)"
        )
