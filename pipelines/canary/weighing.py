"""Whether a canary does no worse than the champion: a pure decision on what both have been counted to do.

Of each kind of mishap, the two shares are compared by bounds that hold at every look (`pipelines.promotion.anytime`):

- it is shown that the canary's share is not higher by more than is allowed: this speaks for it;
- it is shown that it is higher by more: the canary is stopped;
- neither is shown yet: more pictures have to come.

It goes forward if all kinds speak for it. So the probability that one does that is worse than allowed in any of them is
at most 1 − confidence, without a correction for their number (an intersection-union test, as in the gate). One kind is
enough to stop it, so that each of them is judged with a share of the error.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipelines.canary.metrics_page import Counts
from pipelines.promotion.anytime import Interval, difference, share_bounds
from pipelines.promotion.words import points
from pipelines.sections import CanarySection

__all__ = ["Mishap", "Weighed", "weigh"]

_KINDS = 3
"""Of mishaps, at most: what is stopped by any of them is judged with this part of the error each."""


class Mishap(BaseModel):
    """One kind of mishap.

    Attributes:
        name: Such as "failures".
        canary: How many there were, and of how many pictures.
        champion: Likewise; None for a share that only the canary has.
        allowed: By how much the canary's share may be higher; or, without a champion, how high it may be.
        low: The lower bound of the difference, or of the share.
        high: The upper one.
        verdict: Whether it is shown that it is within what is allowed, or beyond; "open" if neither.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    canary: tuple[int, int]
    champion: tuple[int, int] | None
    allowed: float
    low: float
    high: float
    verdict: Literal["within", "beyond", "open"]

    @property
    def words(self) -> str:
        """As a part of a sentence."""
        count, of = self.canary
        found = f"{self.name} {count:,} of {of:,}"
        if self.champion is None:
            return f"{found} (between {self.low:.2%} and {self.high:.2%}, allowed: {self.allowed:.2%})"
        before, of_before = self.champion
        return (
            f"{found}, beside {before:,} of {of_before:,} (a rise between {points(self.low)} and {points(self.high)}, "
            f"allowed: {points(self.allowed)})"
        )


class Weighed(BaseModel):
    """What was found.

    Attributes:
        outcome: What to do.
        mishaps: Each kind that can be compared.
        words: Why, in a sentence for people.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["wait", "forward", "stop"]
    mishaps: tuple[Mishap, ...]
    words: str


def weigh(
    canary: Counts,
    champion: Counts,
    minutes: float,
    rule: CanarySection,
    confidence: float,
    *,
    both_refuse: bool,
) -> Weighed:
    """Decide.

    Args:
        canary: What was counted of it since it became one.
        champion: Likewise, in the same time.
        minutes: For how long it has been a canary.
        rule: From the recipe.
        confidence: Of each bound, such as 0.95.
        both_refuse: Whether both versions can take an image for no digit. If only one can, what it refuses counts for
            neither: a version must not be stopped for noticing what the other cannot notice.
    """
    mishaps = _mishaps(canary, champion, rule, 1 - confidence, both_refuse=both_refuse)
    beyond = [each.words for each in mishaps if each.verdict == "beyond"]
    if beyond:
        return Weighed(outcome="stop", mishaps=mishaps, words=f"it does worse than the champion: {'; '.join(beyond)}")
    missing = _missing(canary, champion, minutes, rule)
    if not missing and all(each.verdict == "within" for each in mishaps):
        took = f"as a canary for {_minutes(minutes)}, it did no worse than the champion"
        found = "; ".join(each.words for each in mishaps)
        return Weighed(outcome="forward", mishaps=mishaps, words=f"{took}: {found}")
    undecided = "; ".join(each.words for each in mishaps if each.verdict == "open")
    words = missing or f"more pictures are needed to tell about {undecided}"
    if minutes >= rule.longest_minutes:
        words += (
            f"; after {_minutes(minutes)}, more than promotion.canary.longest_minutes, it stays a canary: a newer "
            "version may take its place, and models promote makes it the champion by hand"
        )
    return Weighed(outcome="wait", mishaps=mishaps, words=words)


def _minutes(count: float) -> str:
    return f"{count:,.0f} minute{'' if round(count) == 1 else 's'}"


def _missing(canary: Counts, champion: Counts, minutes: float, rule: CanarySection) -> str:
    """What is missing before anything may speak for the canary; "" if nothing is."""
    parts = []
    if canary.pictures < rule.pictures:
        parts.append(f"it has answered {canary.pictures:,} of {rule.pictures:,} pictures")
    if not champion.pictures:
        parts.append("the champion has answered none meanwhile")
    if minutes < rule.minutes:
        parts.append(f"{int(minutes):,} of {rule.minutes:,g} minutes have passed")
    return ", and ".join(parts)


def _mishaps(
    canary: Counts, champion: Counts, rule: CanarySection, error: float, *, both_refuse: bool
) -> tuple[Mishap, ...]:
    def failures(counts: Counts) -> tuple[int, int]:
        return _share(counts.failed + counts.not_finite, counts.pictures)

    def rejections(counts: Counts) -> tuple[int, int]:
        return _share(counts.unread + (counts.refused if both_refuse else 0), counts.pictures)

    found = [
        _compared("failures", failures(canary), failures(champion), rule.max_failure_rise, error),
        _compared("rejections", rejections(canary), rejections(champion), rule.max_rejection_rise, error),
    ]
    if canary.shadowed:
        share, allowed = _share(canary.disagreed, canary.shadowed), rule.max_disagreement
        ends, certain = share_bounds(*share, error), share_bounds(*share, error / _KINDS)
        found.append(_judged("disagreements as a shadow", (share, None), allowed, (ends, certain)))
    return tuple(found)


def _compared(name: str, new: tuple[int, int], old: tuple[int, int], allowed: float, error: float) -> Mishap:
    return _judged(name, (new, old), allowed, (difference(new, old, error), difference(new, old, error / _KINDS)))


def _judged(
    name: str, shares: tuple[tuple[int, int], tuple[int, int] | None], allowed: float, bounds: Sequence[Interval]
) -> Mishap:
    """Judge by two intervals: the one that speaks for the canary, and the wider one that may stop it."""
    (_, high), (low, _) = bounds
    verdict: Literal["within", "beyond", "open"] = (
        "within" if high <= allowed else "beyond" if low > allowed else "open"
    )
    return Mishap(name=name, canary=shares[0], champion=shares[1], allowed=allowed, low=low, high=high, verdict=verdict)


def _share(count: int, of: int) -> tuple[int, int]:
    """Rejections are shown a second before the images that they are among."""
    return min(count, of), of
