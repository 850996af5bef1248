"""What server and client both speak of: the answer to one picture, and how an error is named on the wire."""

from dataclasses import dataclass

__all__ = ["ERROR_METADATA", "Reading"]

ERROR_METADATA = "numeral-error"
"""Key of the trailing metadata that names the class of an error, so that a client can raise the same."""


@dataclass(frozen=True)
class Reading:
    """What the model made of one picture.

    Attributes:
        digit: The most probable digit, 0 to 9.
        confidence: How probable it is, 0 to 1.
        probabilities: How probable each digit is, that of digit 0 first; they sum to 1.
        model_version: The version that computed this very answer, e.g. "3".
        weights_sha256: The sha256 of its weights file, in hexadecimal.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    model_version: str
    weights_sha256: str
