"""Champion or challenger: a pure decision on validation measures. The test set has no influence on it."""

from core.artifact.manifest import Manifest, Metrics, Verdict
from core.artifact.origin import DataProvenance
from pipelines.recipe import PromotionSection


def decide(challenger: Metrics, data: DataProvenance, champion: Manifest | None, rule: PromotionSection) -> Verdict:
    """Whether a newly trained version may replace the champion.

    Args:
        challenger: Measures on the validation split.
        data: What the challenger was trained and validated on.
        champion: The version that serves now, if any.
        rule: From the recipe.
    """
    found = f"validation accuracy {challenger.accuracy:.2%}"
    parent = champion.version if champion else None
    if challenger.accuracy < rule.min_accuracy:
        reason = f"{found}, below the recipe's minimum of {rule.min_accuracy:.2%}"
        return Verdict(promote=False, reason=reason, parent=parent)
    if champion is None:
        return Verdict(promote=True, reason=f"{found}, with no champion to compare it with", parent=None)
    if _same_split(data, champion.data):
        worse, relation = _on_same_images(challenger, champion, rule.max_accuracy_drop)
    else:
        worse, relation = _on_other_images(challenger, champion)
    return Verdict(promote=not worse, reason=f"{found}{relation}", parent=parent)


def _on_same_images(challenger: Metrics, champion: Manifest, max_drop: float) -> tuple[bool, str]:
    accuracy, rival = challenger.accuracy, champion.validation.accuracy
    compared = f"the {rival:.2%} of version {champion.version} (same images)"
    if accuracy > rival:
        return False, f", higher than {compared}"
    if accuracy == rival:
        return False, f", equal to {compared}"
    worse = accuracy < rival - max_drop
    return worse, f", {'more than' if worse else 'at most'} {100 * max_drop:.2f} points below {compared}"


def _on_other_images(challenger: Metrics, champion: Manifest) -> tuple[bool, str]:
    """On different images, accuracies differ by chance too: only intervals that do not overlap show a difference."""
    (low, high), (rival_low, rival_high) = challenger.interval, champion.validation.interval
    worse, better = high < rival_low, low > rival_high
    finding = "it is lower" if worse else "it is higher" if better else "the intervals overlap"
    return worse, (
        f" (95% interval {low:.2%} to {high:.2%}), against {rival_low:.2%} to {rival_high:.2%} "
        f"of version {champion.version} on different images: {finding}"
    )


def _same_split(a: DataProvenance, b: DataProvenance) -> bool:
    return (a.files, a.split_seed, a.validation_images) == (b.files, b.split_seed, b.validation_images)
