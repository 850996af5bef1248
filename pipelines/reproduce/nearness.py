"""How far a version that was trained again is from the published one: tensor by tensor, and in what both read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.labeled import Labeled
from core.inference.predict import Predictor
from core.kernels.blas import blas_threads

__all__ = ["Predictions", "Tensor", "predictions", "tensors"]


@dataclass(frozen=True)
class Tensor:
    """One parameter or buffer.

    Attributes:
        name: Its name in the weights file.
        largest: The largest difference of two numbers at the same place; None if the shapes differ.
        relative: ‖new − published‖ / ‖published‖; None likewise, and if the published one is all zeros.
    """

    name: str
    largest: float | None
    relative: float | None


@dataclass(frozen=True)
class Predictions:
    """What both read on the test images.

    Attributes:
        images: How many there are.
        alike: How many of them both read as the same digit.
        largest: The largest difference of two probabilities, 0 to 1.
        published_accuracy: Of the published version, 0 to 1.
        reproduced_accuracy: Of the one that was trained again.
    """

    images: int
    alike: int
    largest: float
    published_accuracy: float
    reproduced_accuracy: float


def tensors(published: Mapping[str, NDArray[Any]], reproduced: Mapping[str, NDArray[Any]]) -> list[Tensor]:
    """Every tensor that differs, the one that differs most in relation to its size first."""
    found = [
        _tensor(name, published.get(name), reproduced.get(name)) for name in dict.fromkeys([*published, *reproduced])
    ]
    different = [tensor for tensor in found if tensor.largest != 0]
    return sorted(different, key=lambda t: -(float("inf") if t.relative is None else t.relative))


def predictions(published: Predictor, reproduced: Predictor, test: Labeled) -> Predictions:
    """Read the test images with both."""
    with blas_threads(1):
        old, new = published.probabilities(test.images), reproduced.probabilities(test.images)
    said, says = old.argmax(axis=1), new.argmax(axis=1)
    return Predictions(
        images=len(test.labels),
        alike=int((said == says).sum()),
        largest=float(np.abs(old - new).max()),
        published_accuracy=float((said == test.labels).mean()),
        reproduced_accuracy=float((says == test.labels).mean()),
    )


def _tensor(name: str, old: NDArray[Any] | None, new: NDArray[Any] | None) -> Tensor:
    if old is None or new is None or old.shape != new.shape:
        return Tensor(name, None, None)
    difference = new.astype(np.float64) - old
    size = float(np.linalg.norm(old.astype(np.float64)))
    return Tensor(
        name, float(np.abs(difference).max(initial=0)), float(np.linalg.norm(difference)) / size if size else None
    )
