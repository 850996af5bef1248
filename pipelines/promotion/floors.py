"""Floors: what a version must reach by itself, whatever earlier versions did."""

from core.artifact.manifest import Check
from core.digit import LABELS
from pipelines.promotion.evidence import Evidence
from pipelines.promotion.paired import least_images
from pipelines.promotion.words import AGAINST, BEST, images, points
from pipelines.sections import PromotionSection

_CALIBRATION_IMAGES = 1000
"""With fewer, the calibration error of a perfectly calibrated network is above 2%: in 15 bins, chance adds up."""


def checks(evidence: Evidence, rule: PromotionSection) -> list[Check]:
    """The floors, each as a check."""
    return [floor(evidence, rule) for floor in (_enough_images, _accuracy, _worst_digit, _calibration)]


def unreadable_best(evidence: Evidence, rule: PromotionSection) -> list[Check]:
    """The comparison with the best version if it was pruned since, or is damaged: only its accuracy is known."""
    best, found = evidence.best, evidence.validation.accuracy
    if best is None:
        return []
    compared = next((comparison for comparison in evidence.compared if comparison.version == best.version), None)
    if compared and compared.readable:
        return []
    role = compared.role if compared else BEST
    drop = best.accuracy - found
    return [
        Check(
            name=f"{AGAINST} version {best.version}",
            found=-drop,
            wanted=-rule.max_accuracy_drop,
            passed=drop <= rule.max_accuracy_drop,
            words=f"validation accuracy {found:.2%}, against {best.accuracy:.2%} of version {best.version}, {role}, "
            f"which can no longer be read; {points(rule.max_accuracy_drop)} less are allowed",
        )
    ]


def _enough_images(evidence: Evidence, rule: PromotionSection) -> Check:
    count, needed = evidence.validation.count, least_images(rule.max_accuracy_drop, rule.confidence)
    return Check(
        name="validation images",
        found=count,
        wanted=needed,
        passed=count >= needed,
        words=f"validation on {images(count)}; to notice a drop of {points(rule.max_accuracy_drop)} with "
        f"{rule.confidence:.0%} confidence takes at least {needed:,}",
    )


def _accuracy(evidence: Evidence, rule: PromotionSection) -> Check:
    found = evidence.validation.accuracy
    passed = found >= rule.min_accuracy
    return Check(
        name="validation accuracy",
        found=found,
        wanted=rule.min_accuracy,
        passed=passed,
        words=f"validation accuracy {found:.2%}, {'at least' if passed else 'below'} the recipe's minimum of "
        f"{rule.min_accuracy:.2%}",
    )


def _worst_digit(evidence: Evidence, rule: PromotionSection) -> Check:
    per_class, floor = evidence.validation.per_class, rule.min_digit_accuracy
    # By chance, a digit with few images may be read badly: what counts is whether it is shown to be below the floor.
    highest = [high for _, high in evidence.validation.per_class_intervals] or list(per_class)
    worst = min(range(len(per_class)), key=lambda digit: (highest[digit], per_class[digit]))
    passed = highest[worst] >= floor
    return Check(
        name="worst digit",
        found=per_class[worst],
        wanted=floor,
        passed=passed,
        words=f"{per_class[worst]:.2%} of the validation images of {LABELS[worst]} are read correctly, "
        f"{'at least' if per_class[worst] >= floor else 'which is too few to be sure, against' if passed else 'below'} "
        f"the recipe's minimum of {floor:.2%} for each digit",
    )


def _calibration(evidence: Evidence, rule: PromotionSection) -> Check:
    found, count = evidence.validation.calibration_error, evidence.validation.count
    words = (
        f"calibration error {found:.2%} on the validation images; at most {rule.max_calibration_error:.2%} is allowed"
    )
    decided = count >= _CALIBRATION_IMAGES
    return Check(
        name="calibration",
        found=found,
        wanted=rule.max_calibration_error,
        passed=found <= rule.max_calibration_error if decided else None,
        words=words if decided else f"{words}; not decided, because that takes {_CALIBRATION_IMAGES:,} images",
    )
