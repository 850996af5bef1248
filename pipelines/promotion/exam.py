"""What a version reads, and what it misreads: on validation images, plain and altered, and on other pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.labeled import Labeled
from core.digit import SIDE
from core.imaging import LATEST
from core.inference.predict import Predictor
from core.kernels.blas import blas_threads
from core.measure.corruptions import CORRUPTIONS
from pipelines.promotion.slices import Pictures

ALTERED_EVERY = 4
"""Every fourth validation image is altered in each of the ten ways: 1,250 of 5,000. The difference of two versions is
then known to within 1.5 points, and recipes allow 15 by default."""


@dataclass(frozen=True, eq=False)
class Exam:
    """What all versions are read on for one verdict.

    Attributes:
        rows: (V,), the indices of the validation images among all training images, ascending.
        validation: These images.
        altered: Every `ALTERED_EVERY`th of them, altered, by the description of the alteration: (A, 28, 28) each.
        pictures: Further ones.
    """

    rows: NDArray[np.intp]
    validation: Labeled
    altered: Mapping[str, NDArray[np.uint8]]
    pictures: tuple[Pictures, ...]

    @classmethod
    def of_pictures(cls, pictures: Sequence[Pictures]) -> "Exam":
        """Without validation images, which are only read to compare with earlier versions."""
        none = Labeled(np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.uint8))
        return cls(np.empty(0, np.intp), none, {}, tuple(pictures))

    @classmethod
    def on(cls, rows: NDArray[np.intp], validation: Labeled, pictures: Sequence[Pictures]) -> "Exam":
        """With these validation images and pictures."""
        some = validation.images[::ALTERED_EVERY]
        altered = {corruption.description: corruption.apply(some) for corruption in CORRUPTIONS.values()}
        return cls(rows, validation, altered, tuple(pictures))


@dataclass(frozen=True, eq=False)
class Reading:
    """Which images a version classifies correctly.

    Attributes:
        validation: bool (V,).
        altered: bool (A,) each, by the description of the alteration.
        pictures: bool (N,) each, by the name of the slice.
    """

    validation: NDArray[np.bool_]
    altered: Mapping[str, NDArray[np.bool_]]
    pictures: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(cls, predictor: Predictor, exam: Exam, framing: int = LATEST) -> "Reading":
        """Read an exam.

        Args:
            predictor: The version.
            exam: The images.
            framing: The framing that the version was published with, for pictures that are framed.
        """
        labels = exam.validation.labels

        def right(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
            found: NDArray[np.bool_] = predictor.logits(images).argmax(axis=1) == labels
            return found & images.any(axis=(1, 2))  # a blank image stands for a picture in which no digit was found

        with blas_threads(1):  # on a busy machine, several threads spend a hundred times as much waiting for each other
            return cls(
                validation=right(exam.validation.images, labels),
                altered={name: right(images, labels[::ALTERED_EVERY]) for name, images in exam.altered.items()},
                pictures={p.name: right(p.framed(framing), p.labels) for p in exam.pictures},
            )
