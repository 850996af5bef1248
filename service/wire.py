"""What server and client both speak of: the answer to one picture, and what metadata is called on the wire."""

from dataclasses import dataclass, field

__all__ = ["CANARY_KEY", "ERROR_METADATA", "PRETRAINED", "Reading", "in_words"]

ERROR_METADATA = "numeral-error"
"""Key of the trailing metadata that names the class of an error, so that a client can raise the same."""

CANARY_KEY = "x-canary-key"
"""Key of the metadata by which a canary answers all of a client's calls, or none: a name of their user, or session."""

PRETRAINED = "pretrained"
"""Instead of a number, the name of the version that ships with Numeral: nobody takes it for version 1 of their own."""


@dataclass(frozen=True)
class Reading:
    """What the model made of one picture.

    Attributes:
        digit: The most probable digit, 0 to 9.
        confidence: How probable it is, 0 to 1.
        probabilities: How probable each digit is, that of digit 0 first; they sum to 1.
        model_version: The version that computed this very answer, e.g. "3", or "pretrained".
        weights_sha256: The sha256 of its weights file, in hexadecimal.
        reply_id: The answer's own name, which feedback may refer to; no two answers have the same, so it does not count
            where two are compared.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    model_version: str
    weights_sha256: str
    reply_id: str = field(default="", compare=False)


def in_words(version: str) -> str:
    """How a version is called in a sentence: "version 3", "the pretrained version"."""
    return "the pretrained version" if version == PRETRAINED else f"version {version}"


REQUEST_ID = "x-request-id"
"""The metadata that a client may name its call with, and that it finds the name in."""
