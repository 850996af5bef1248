"""Drops: how much worse than an earlier version a challenger may be, each in one measure."""

from collections.abc import Mapping

from core.artifact.manifest import Check, Metrics
from core.measure.newcombe import newcombe_interval
from pipelines.promotion.evidence import Comparison, Evidence
from pipelines.promotion.paired import Pairs, least_images, lower_bound, p_value
from pipelines.promotion.words import AGAINST, bound_in_words, images, points
from pipelines.sections import PromotionSection


def drops(evidence: Evidence, comparison: Comparison, rule: PromotionSection) -> list[Check]:
    """The checks of one comparison: accuracy, digits, altered images, other pictures, size."""
    version = comparison.version
    by_record = not comparison.readable and evidence.best is not None and version == evidence.best.version
    # By its record, the best version is compared in `pipelines.promotion.floors`, as if it was pruned.
    found = [] if by_record else [_accuracy(evidence.validation, comparison, rule)]
    families: list[tuple[str, Mapping[str, Pairs], float]] = [
        ("digits", comparison.digits, rule.max_digit_drop),
        ("altered images", comparison.robustness, rule.max_robustness_drop),
        *((name, {name: pairs}, rule.max_handwriting_drop) for name, pairs in comparison.slices.items()),
    ]
    found += [
        _worst(f"{name} against version {version}", family, margin, rule.confidence)
        for name, family, margin in families
        if family
    ]
    return [*found, _size(evidence.parameters, comparison, rule)]


def _accuracy(validation: Metrics, comparison: Comparison, rule: PromotionSection) -> Check:
    if comparison.accuracy is None:
        return _by_intervals(validation, comparison)
    pairs, margin = comparison.accuracy, rule.max_accuracy_drop
    bound = lower_bound(pairs, rule.confidence)
    passed = bound >= -margin
    return Check(
        name=f"{AGAINST} version {comparison.version}",
        found=bound,
        wanted=-margin,
        passed=passed,
        words=f"validation accuracy {_beside(validation.accuracy, pairs, comparison)} on the same "
        f"{images(pairs.count)}: {bound_in_words(bound, margin, rule.confidence)}",
    )


def _beside(accuracy: float, pairs: Pairs, comparison: Comparison) -> str:
    """Both accuracies; of the rival, that on the images of the comparison."""
    rival = f"version {comparison.version}, {comparison.role},"
    if pairs.count == comparison.validation.count:
        return f"{accuracy:.2%}, against {comparison.validation.accuracy:.2%} of {rival}"
    return f"{accuracy:.2%}; against {rival} it differs by {100 * pairs.difference:+.2f} points"


def _by_intervals(validation: Metrics, comparison: Comparison) -> Check:
    """On different images, or by a record alone: only a difference that is shown to be there counts."""
    rival = comparison.validation
    least, most = newcombe_interval(validation.accuracy, validation.interval, rival.accuracy, rival.interval)
    finding = "it is lower" if most < 0 else "it is higher" if least > 0 else "neither is shown to be better"
    apart = f"on different images ({comparison.why_apart})" if comparison.readable else "which can no longer be read"
    return Check(
        name=f"{AGAINST} version {comparison.version}",
        found=most,
        wanted=0,
        passed=most >= 0,
        words=f"validation accuracy {validation.accuracy:.2%}, against {comparison.validation.accuracy:.2%} of version "
        f"{comparison.version}, {comparison.role}, {apart}: the 95% interval of "
        f"the difference is {100 * least:+.2f} to {100 * most:+.2f} points, so {finding}",
    )


def _worst(name: str, family: Mapping[str, Pairs], margin: float, confidence: float) -> Check:
    """The worst of several comparisons with the same margin; every one must pass."""
    needed = least_images(margin, confidence)
    decided = {member: pairs for member, pairs in family.items() if pairs.count >= needed}
    if not decided:
        most = max(pairs.count for pairs in family.values())
        return Check(
            name=name,
            found=most,
            wanted=needed,
            passed=None,
            words=f"not decided: {images(most)}, and {needed:,} are needed to show a difference of {points(margin)}",
        )
    # The least sure one: its p-value is found much more quickly than the bounds of all.
    worst = max(decided, key=lambda member: p_value(decided[member], margin))
    pairs, bound = decided[worst], lower_bound(decided[worst], confidence)
    subject = worst if len(family) == 1 else f"{worst}, the worst of {len(family)}"
    return Check(
        name=name,
        found=bound,
        wanted=-margin,
        passed=bound >= -margin,
        words=f"{subject}: {100 * pairs.difference:+.2f} points on {images(pairs.count)} "
        f"({pairs.lost:,} lost, {pairs.gained:,} gained), {bound_in_words(bound, margin, confidence)}",
    )


def _size(parameters: int, comparison: Comparison, rule: PromotionSection) -> Check:
    growth = parameters / max(comparison.parameters, 1)
    return Check(
        name=f"size against version {comparison.version}",
        found=growth,
        wanted=rule.max_growth,
        passed=growth <= rule.max_growth,
        words=f"{parameters:,} parameters, {growth:.3g} times those of version {comparison.version}; "
        f"{rule.max_growth:g} times are allowed",
    )
