"""Versions before that were more accurate than one that passed the gate: a drop that is allowed must still be seen."""

from dataclasses import dataclass

from core.artifact.manifest import Manifest
from pipelines.report.formats import percent

__all__ = ["Lower", "lower"]


@dataclass(frozen=True)
class Lower:
    """That a version passed the gate with a lower validation accuracy than others.

    Attributes:
        than: Those, in words.
        sentence: By how much, and that the gate allows it.
    """

    than: str
    sentence: str


def lower(manifest: Manifest) -> Lower | None:
    """What to say of a version that passed the gate; None if no version that it was compared with was more accurate.

    Args:
        manifest: Of the version. Older ones do not say how accurate the champion was.
    """
    verdict, accuracy = manifest.verdict, manifest.validation.accuracy
    compared = [
        (verdict.parent, verdict.parent_accuracy, "the champion then"),
        (verdict.best, verdict.best_accuracy, "the best version before"),
    ]
    if verdict.best == verdict.parent and verdict.parent_accuracy is not None:
        del compared[1]
    found = [(number, theirs, role) for number, theirs, role in compared if theirs is not None and accuracy < theirs]
    if not verdict.promote or not found:
        return None
    numbers = " and ".join(str(number) for number, *_ in found)
    drops = ", and ".join(
        f"{_points(theirs - accuracy)} lower than that of version {number}, {role} ({percent(theirs)})"
        for number, theirs, role in found
    )
    return Lower(
        than=f"version{'' if len(found) == 1 else 's'} {numbers}",
        sentence=f"The validation accuracy, {percent(accuracy)}, is {drops}: a drop that the gate allows.",
    )


def _points(share: float) -> str:
    """0.002 → 0.2 points: percentage points, so that a difference is not taken for a share."""
    points = f"{100 * share:.2g}"
    return f"{points} point{'' if points == '1' else 's'}"
