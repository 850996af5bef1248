"""The gate's findings in words: for the verdict, the log, the report and the history of the alias."""

from collections.abc import Sequence

from core.artifact.manifest import Check
from pipelines.promotion.evidence import Evidence

AGAINST = "accuracy against"
"""How the names of the checks begin that compare accuracies."""

CHAMPION = "the champion"
BEST = "the best version so far"


def points(share: float) -> str:
    """0.005 → 0.50 points: percentage points, so that a difference is not taken for a share."""
    return f"{100 * share:.2f} points"


def bound_in_words(bound: float, allowed: float, confidence: float) -> str:
    """What a lower confidence bound of a difference says, beside what is allowed."""
    sure = f"with {confidence:.0%} confidence"
    if bound > 0:
        return f"{sure} more accurate by at least {points(bound)}"
    return f"{sure} at most {points(-bound)} less accurate, and {points(allowed)} are allowed"


def images(count: int) -> str:
    """1 → 1 image; 5000 → 5,000 images."""
    return f"{count:,} image{'' if count == 1 else 's'}"


def reason(evidence: Evidence, checks: Sequence[Check]) -> str:
    """The verdict's sentence: why the version is rejected, or how it compares with those before it."""
    failed = [check for check in checks if check.passed is False]
    if failed:
        others = ", ".join(check.name for check in failed[1:])
        return failed[0].words + (f"; it also failed: {others}" if others else "")
    found = f"validation accuracy {evidence.validation.accuracy:.2%}"
    against = [check.words for check in checks if check.name.startswith(AGAINST)]
    if evidence.parent is None and not against:
        return f"{found}, with no champion to compare it with"
    first, *further = against or [found]
    parts = [first, *(words.removeprefix(f"{found}, ") for words in further)]
    known = {comparison.version for comparison in evidence.compared}
    if evidence.best:
        known.add(evidence.best.version)
    if evidence.parent is not None and evidence.parent not in known:
        parts.append(f"version {evidence.parent}, {CHAMPION}, is damaged and cannot be compared with it")
    return "; ".join(parts)


def consulted_in_words(count: int) -> str:
    """How often the validation images have been used for a verdict, and what that means."""
    if count == 1:
        return "These validation images decided for the first time."
    return (
        f"These validation images have now been used to judge {count:,} versions. The more versions they judge, the "
        "likelier the best of them is the best by luck. So a version replaces the best one, with which later ones are "
        "compared too, only if it is better by more than one standard error (Blum & Hardt 2015)."
    )
