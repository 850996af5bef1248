"""The answer of one version, in the forms that the protocols make their messages of."""

from typing import NamedTuple

from core.inference.answers import Answers
from service.loaded import Loaded
from service.wire import Reading

__all__ = ["Answer", "reading", "refusal"]


class Answer(NamedTuple):
    """The output of one version for some images.

    Attributes:
        loaded: The version that computed this answer.
        rows: The answers to the images, a row for each.
    """

    loaded: Loaded
    rows: Answers


def refusal(digitness: float) -> str:
    """The sentence that says why a picture is not taken for a digit."""
    likely = f"{digitness:.1%}" if digitness >= 0.001 else "less than 0.1%"
    return (
        f"not a digit: the network finds it {likely} likely that this is a digit at all; write a single digit, and "
        "nothing else"
    )


def reading(answer: Answer, row: int = 0) -> Reading:
    """One row of an answer, in the form that clients see."""
    probabilities = answer.rows.probabilities[row]  # (10,)
    digit, digitness = int(probabilities.argmax()), float(answer.rows.digitness[row])
    return Reading(
        digit=digit,
        confidence=float(probabilities[digit]),
        probabilities=tuple(probabilities.tolist()),
        model_version=answer.loaded.version,
        weights_sha256=answer.loaded.weights_sha256,
        digitness=digitness,
        rejected=refusal(digitness) if answer.rows.rejected[row] else "",
    )
