"""What a list says of a version, from its manifest; and which descriptions are kept in memory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.summary import Summary
from service.texts import shortened

__all__ = ["Described", "Kept"]

MOST_KEPT = 5_000
"""Versions whose descriptions are kept, each of some hundred bytes, and a few thousand at most."""


@dataclass(frozen=True)
class Described:
    """What a list says of a version.

    Attributes:
        created: When it was published.
        recipe: The recipe that it was trained with.
        parameters: How many parameters it has.
        test_accuracy: The share of the test images that it reads correctly.
        validation_accuracy: The same of the validation images.
        weights_sha256: The digest of its weights file.
        verdict: What was decided about its promotion when it was published, in a sentence.
    """

    created: datetime
    recipe: str
    parameters: int
    test_accuracy: float
    validation_accuracy: float
    weights_sha256: str
    verdict: str

    @classmethod
    def of(cls, found: Summary) -> Self:
        """What is listed of a manifest."""
        return cls(
            created=found.created,
            recipe=found.recipe_name,
            parameters=found.architecture.parameter_count,
            test_accuracy=found.test.accuracy,
            validation_accuracy=found.validation.accuracy,
            weights_sha256=found.files[WEIGHTS].sha256,
            verdict=shortened(_verdict(found)),
        )

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> Self:
        """The same of a whole manifest."""
        return cls.of(Summary.model_validate(manifest, from_attributes=True))


class Kept:
    """The descriptions that were read last, each for as long as the objects of its version look the same."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[int, tuple[str, Described]] = {}  # the latest used last

    def get(self, number: int, stamp: str) -> Described | None:
        """The description of a version whose objects have this stamp; None if it is to be read."""
        found = self._kept.pop(number, None)
        if found is None or found[0] != stamp:
            return None
        self._kept[number] = found
        return found[1]

    def add(self, number: int, stamp: str, described: Described) -> None:
        """Keep a description, unless there is no stamp; the one that was not used for longest gives way to it."""
        if not stamp:
            return
        self._kept[number] = (stamp, described)
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]


def _verdict(found: Summary) -> str:
    verdict = found.verdict
    sentence = f"{'fit' if verdict.promote else 'not fit'} to be champion: {verdict.reason}"
    if verdict.instruction == "gate":
        return sentence
    done = "it was promoted" if verdict.instruction == "always" else "it was not promoted"
    return f"{sentence}; {done}, as {verdict.instructed_by or 'whoever ran the training'} wished"
