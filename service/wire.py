"""The names that server and client share: the answers to pictures, and the keys of the metadata."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CANARY_KEY", "ERROR_METADATA", "PRETRAINED", "REQUEST_ID", "Box", "Found", "Reading", "in_words"]

REQUEST_ID = "x-request-id"
"""Key of the metadata in which a client may send an id for its call. The server returns the id in the same key."""

CANARY_KEY = "x-canary-key"
"""Key of the metadata that keeps a client's calls together: a canary answers all calls with the same value, or none."""

ERROR_METADATA = "numeral-error"
"""Key of the trailing metadata that names the class of an error, so that a client can raise the same class."""

PRETRAINED = "pretrained"
"""The name, in place of a number, of the version that ships with Numeral: it is not version 1 of any repository."""


@dataclass(frozen=True)
class Reading:
    """The answer of the model to one picture.

    Attributes:
        digit: The most probable digit, 0 to 9; where `rejected` says that there is none, the best guess.
        confidence: The probability of `digit`, 0 to 1, provided that the picture shows a digit.
        probabilities: The probability of each digit, that of digit 0 first, provided likewise; they sum to 1.
        model_version: The version that computed this answer, e.g. "3", or "pretrained".
        weights_sha256: The sha256 of that version's weights file, in hexadecimal.
        reply_id: A unique id of the answer, which feedback may refer to. Being unique, it is left out of comparisons.
        digitness: The probability that the picture shows a digit at all; 1 if the version does not judge that.
        rejected: Why the picture is not taken for a digit, in a sentence; "" if it is.
        image: (28, 28) uint8, the picture as the network saw it, if it was asked for. It is left out of comparisons.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    model_version: str
    weights_sha256: str
    reply_id: str = field(default="", compare=False)
    digitness: float = 1.0
    rejected: str = ""
    image: "NDArray[np.uint8] | None" = field(default=None, compare=False, repr=False)


class Box(NamedTuple):
    """Where a digit lies in its picture, in pixels of the upright picture, from its top left corner.

    Attributes:
        left, top: The first column and the first row.
        right, bottom: The first ones after it.
    """

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Found:
    """One of the digits in a picture.

    Attributes:
        box: Where it lies.
        reading: The answer to it.
    """

    box: Box
    reading: Reading


def in_words(version: str) -> str:
    """The name of a version in a sentence: "version 3", "the pretrained version"."""
    return "the pretrained version" if version == PRETRAINED else f"version {version}"
