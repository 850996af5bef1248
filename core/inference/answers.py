"""What a version says about some images: how probable each digit is, and whether there is a digit at all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.artifact.manifest import Rejection
from core.nn.losses import softmax


@dataclass(frozen=True, eq=False, slots=True)
class Answers:
    """The answers to N images, as arrays with a row for each image. `answers[2:5]` are those to three of them.

    Attributes:
        probabilities: (N, K) float32, the probability of each class, provided that the image shows one of them; each
            row sums to 1.
        digitness: (N,) float32, the probability that the image shows a digit at all: see `digitness`. 1 in a version
            without rejection.
        rejected: (N,) bool, whether the version refuses to take the image for a digit.
    """

    probabilities: NDArray[np.float32]
    digitness: NDArray[np.float32]
    rejected: NDArray[np.bool_]

    @classmethod
    def of(cls, logits: NDArray[np.float32], temperature: float, rejection: Rejection | None) -> "Answers":
        """The answers that follow from logits.

        Args:
            logits: (N, K), overwritten.
            temperature: The divisor of the logits in the softmax: see `core.measure.calibration`.
            rejection: When to refuse; None for never.
        """
        if rejection is None:
            sure, rejected = np.ones(len(logits), np.float32), np.zeros(len(logits), np.bool_)
        else:
            sure = digitness(logits, rejection)
            rejected = sure < rejection.threshold
        logits /= temperature
        return cls(softmax(logits, out=logits), sure, rejected)

    @classmethod
    def joined(cls, parts: Sequence["Answers"]) -> "Answers":
        """The answers to several sets of images as one; there is at least one set."""
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.digitness for part in parts]),
            np.concatenate([part.rejected for part in parts]),
        )

    def among(self, places: NDArray[np.bool_]) -> "Answers":
        """The same answers among those to other images, which are all 0 and not rejected, and mean nothing.

        Args:
            places: (M,), true in N places: those of these answers.
        """
        rows = np.flatnonzero(places)
        whole = Answers(
            np.zeros((len(places), self.probabilities.shape[1]), np.float32),
            np.zeros(len(places), np.float32),
            np.zeros(len(places), np.bool_),
        )
        whole.probabilities[rows], whole.digitness[rows], whole.rejected[rows] = (
            *(self.probabilities, self.digitness, self.rejected),
        )
        return whole

    def __len__(self) -> int:
        return len(self.digitness)

    def __getitem__(self, rows: slice) -> "Answers":
        return Answers(self.probabilities[rows], self.digitness[rows], self.rejected[rows])


def energy(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """E = log Σ_k exp(z_k), which is high for images like those that the network was trained on.

    It is the negative free energy of the logits (Liu, Wang, Owens & Li, "Energy-based Out-of-distribution Detection",
    2020, eq. 4, at temperature 1).

    Args:
        logits: z, (N, K), before any temperature.

    Returns:
        (N,).
    """
    largest = np.maximum.reduce(logits, axis=1)  # exp of the differences never overflows
    total = np.add.reduce(np.exp(logits - largest[:, np.newaxis], dtype=np.float64), axis=1)
    scores: NDArray[np.float64] = largest + np.log(total)
    return scores


def digitness(logits: NDArray[np.floating], rejection: Rejection) -> NDArray[np.float32]:
    """The probability that an image shows a digit at all: 1 / (1 + exp(−(scale · E + offset))), (N,) float32.

    Args:
        logits: z, (N, K), before any temperature.
        rejection: The logistic regression on the energy E; see `core.measure.rejection`.
    """
    found: NDArray[np.float32] = np.exp(-np.logaddexp(0, -(rejection.scale * energy(logits) + rejection.offset)))
    return found.astype(np.float32)
