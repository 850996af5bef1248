"""The gate: whether a challenger may become the champion. A pure decision, on which the test set has no influence.

The challenger must show that it is not worse than the champion by more than the recipe's margin (a test of
non-inferiority, see `pipelines.promotion.paired`), and likewise not worse than the best comparable version whose
promotion no rollback has undone. The second keeps a chain of versions, each only a little worse than the one before,
from drifting away.
Further checks look at what the accuracy hides: single digits, altered images, pictures that are not MNIST's,
calibration, size.

The version must pass every check. So the probability that it passes though it is worse than the margin allows in any
of them is at most 1 − confidence, however many there are (an intersection-union test: Berger 1982, "Multiparameter
Hypothesis Testing and Acceptance Sampling").
"""

from math import sqrt

from core.artifact.manifest import Check, Verdict
from pipelines.promotion import floors
from pipelines.promotion.drops import drops
from pipelines.promotion.evidence import Evidence
from pipelines.promotion.words import reason
from pipelines.sections import PromotionSection


def decide(evidence: Evidence, rule: PromotionSection) -> Verdict:
    """Whether a newly trained version may replace the champion.

    Args:
        evidence: What was measured of it and of earlier versions, on validation images and on others, never on test
            images.
        rule: From the recipe.
    """
    checks: list[Check] = [*floors.checks(evidence, rule)]
    for comparison in evidence.compared:
        checks += drops(evidence, comparison, rule)
    checks += floors.unreadable_best(evidence, rule)
    return Verdict(
        promote=all(check.passed is not False for check in checks),
        reason=reason(evidence, checks),
        parent=evidence.parent,
        parent_accuracy=next((c.validation.accuracy for c in evidence.compared if c.version == evidence.parent), None),
        best=evidence.best.version if evidence.best else None,
        best_accuracy=evidence.best.accuracy if evidence.best else None,
        improves=improves(evidence),
        consulted=evidence.consulted,
        checks=tuple(checks),
        slices=evidence.slices,
    )


def improves(evidence: Evidence) -> bool:
    """Whether the challenger is better than the best version by more than the Ladder's step, or the first of its kind.

    The more versions are tried on the same validation images, the likelier one is the best of them by luck. So the
    best version stays the one that later ones are compared with until another is better by more than one standard
    error of the difference between the two (the parameter-free Ladder of Blum & Hardt 2015). The error of the
    accuracies accepted in this way grows with the logarithm of the number of versions tried, rather than with its root.
    """
    best, found = evidence.best, evidence.validation
    if best is None:
        return True
    pairs = next((c.accuracy for c in evidence.compared if c.version == best.version), None)
    if pairs:
        return pairs.difference > pairs.step
    # It was pruned or is damaged. The two disagree on as many images as both misread together, or on fewer.
    most_discordant = (1 - found.accuracy) + (1 - best.accuracy)
    return found.accuracy - best.accuracy > sqrt(most_discordant / found.count)
