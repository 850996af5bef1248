"""Champion or challenger: a pure decision on validation measures. The test set has no say in it."""

from core.artifact.manifest import DataProvenance, Manifest, Metrics, Verdict
from pipelines.recipe import PromotionSection


def decide(challenger: Metrics, data: DataProvenance, champion: Manifest | None, rule: PromotionSection) -> Verdict:
    """Whether a newly trained version may replace the champion.

    Args:
        challenger: Measures on the validation split.
        data: What the challenger was trained and validated on.
        champion: The version that serves now, if any.
        rule: From the recipe.
    """
    accuracy, parent = challenger.accuracy, champion.version if champion else None
    if accuracy < rule.min_accuracy:
        reason = f"validation accuracy {accuracy:.2%} is below the recipe's floor of {rule.min_accuracy:.2%}"
        return Verdict(promote=False, reason=reason, parent=parent)
    if champion is None:
        reason = f"the first champion, with validation accuracy {accuracy:.2%}"
        return Verdict(promote=True, reason=reason, parent=None)
    rival = champion.validation
    if _same_split(data, champion.data):
        worse = accuracy < rival.accuracy - rule.max_accuracy_drop
        terms = f"allowed drop {rule.max_accuracy_drop:.2%}, same images"
    else:
        # Measured on other images, the two differ by chance as well: only intervals that do not meet tell.
        worse = challenger.interval[1] < rival.interval[0]
        terms = "95% intervals, other images"
    comparison = f"validation accuracy {accuracy:.2%} against {rival.accuracy:.2%} of version {parent} ({terms})"
    return Verdict(promote=not worse, reason=f"{'worse: ' if worse else ''}{comparison}", parent=parent)


def _same_split(a: DataProvenance, b: DataProvenance) -> bool:
    return (a.files, a.split_seed, a.validation_images) == (b.files, b.split_seed, b.validation_images)
