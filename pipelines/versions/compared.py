"""Versions compared on the same test images: how often each is right, and on which pictures they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.data.labeled import Labeled
from core.errors import DamagedVersionError, UnreadableEntryError
from core.inference.answers import Answers
from core.inference.predict import load
from core.kernels.blas import blas_threads
from core.measure.evaluate import Accuracy
from core.train.report import EpochReport
from pipelines.promotion.paired import Pairs
from pipelines.retrain.training import HISTORY, HISTORY_FILE
from pipelines.versions.difference import Change, changes

__all__ = ["Compared", "Comparison", "Picture", "compare"]

MOST_PICTURES = 60
"""Pictures on which the versions differ that are kept, the ones first about which they are surest."""


@dataclass(frozen=True, eq=False)
class Compared:
    """One of the versions.

    Attributes:
        manifest: Of the version.
        history: The epochs of its training; empty in versions that were published without.
        accuracy: On the test images, as they are read now.
        per_digit: Accuracy on the images of each digit, 0 to 1.
        pairs: How often it and the first of the versions disagree; None for the first.
        p: The probability of a difference as large as this, or larger, either way, if both were equally good.
        changed: What differs in how it was made from the first; empty for the first.
    """

    manifest: Manifest
    history: tuple[EpochReport, ...]
    accuracy: Accuracy
    per_digit: tuple[float, ...]
    pairs: Pairs | None
    p: float | None
    changed: tuple[Change, ...]


@dataclass(frozen=True, eq=False)
class Picture:
    """A test image that the versions read differently.

    Attributes:
        index: Among the test images.
        image: (28, 28) uint8.
        label: The digit that it shows.
        readings: What each version reads.
        probabilities: How sure each is of that, 0 to 1.
    """

    index: int
    image: NDArray[np.uint8]
    label: int
    readings: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Versions on the same images.

    Attributes:
        versions: In the order in which they were named.
        images: How many test images there are.
        differing: How many of these two of the versions read differently.
        pictures: The first `MOST_PICTURES` of them.
    """

    versions: tuple[Compared, ...]
    images: int
    differing: int
    pictures: tuple[Picture, ...]


def compare(store: Repository, versions: Sequence[int], test: Labeled) -> Comparison:
    """Read the test images with each version.

    Args:
        store: The repository.
        versions: At least two numbers, of which the others are compared with the first.
        test: The images that had no influence on any of them.

    Raises:
        ArtifactError: A version is missing or damaged.
    """
    manifests, answers = [], []
    with blas_threads(1):  # as `Exam` does: threads that wait for each other cost more than they bring
        for version in versions:
            predictor, manifest = load(store, version)
            manifests.append(manifest)
            answers.append(predictor.answers(test.images))
    readings = np.stack([found.probabilities.argmax(axis=1) for found in answers])  # (versions, N)
    right = readings == test.labels
    compared = tuple(
        _compared(store, manifest, right[place], test.labels, manifests[0], right[0] if place else None)
        for place, manifest in enumerate(manifests)
    )
    rows = np.flatnonzero((readings != readings[0]).any(axis=0))
    return Comparison(compared, len(test.labels), len(rows), _pictures(rows, readings, answers, test))


def _compared(
    store: Repository,
    manifest: Manifest,
    right: NDArray[np.bool_],
    labels: NDArray[np.uint8],
    first: Manifest,
    right_of_first: NDArray[np.bool_] | None,
) -> Compared:
    pairs = None if right_of_first is None else Pairs.of(right, right_of_first)
    return Compared(
        manifest=manifest,
        history=history_of(store, manifest),
        accuracy=Accuracy.of(right),
        per_digit=tuple(float(right[labels == digit].mean()) for digit in range(len(manifest.labels))),
        pairs=pairs,
        p=None if pairs is None else _by_chance(pairs),
        changed=() if pairs is None else tuple(changes(first, manifest)),
    )


def history_of(store: Repository, manifest: Manifest) -> tuple[EpochReport, ...]:
    """The epochs of a version's training; none if it was published without, or they cannot be read any more."""
    if HISTORY_FILE not in manifest.files:
        return ()
    try:
        return HISTORY.validate_json(store.read(manifest, HISTORY_FILE))
    except (DamagedVersionError, UnreadableEntryError, ValueError):
        return ()


def _by_chance(pairs: Pairs) -> float:
    """The exact two-sided p-value of McNemar's test (McNemar 1947, Psychometrika 12:153).

    Of the b + c images about which one version alone is right, each would be either one's with probability ½ if both
    were equally good: P = 2 · Σ_{k ≤ min(b, c)} C(b + c, k) / 2^(b + c), at most 1, in whole numbers.
    """
    discordant = pairs.lost + pairs.gained
    term = total = 1
    for k in range(min(pairs.lost, pairs.gained)):
        term = term * (discordant - k) // (k + 1)
        total += term
    return float(min(Fraction(1), Fraction(2 * total, 1 << discordant)))


def _pictures(
    rows: NDArray[np.intp], readings: NDArray[np.intp], answers: Sequence[Answers], test: Labeled
) -> tuple[Picture, ...]:
    """Those first about which the versions are surest while they contradict each other."""
    sure = np.stack([found.probabilities.max(axis=1) for found in answers])  # (versions, N)
    order = rows[np.argsort(-sure[:, rows].min(axis=0), kind="stable")][:MOST_PICTURES]
    return tuple(
        Picture(
            index=int(row),
            image=test.images[row],
            label=int(test.labels[row]),
            readings=tuple(map(int, readings[:, row])),
            probabilities=tuple(map(float, sure[:, row])),
        )
        for row in order
    )
