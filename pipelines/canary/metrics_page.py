"""What one service shows about a canary and the champion, at one moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.artifact.fields import Count, Part

__all__ = ["Counts", "MetricsPage"]

_NOT_A_DIGIT = "NotADigit"
_ERROR = "Error"
_OTHER = "other"


class Counts(Part):
    """What a service has counted of one version since it started.

    Attributes:
        computed: Images that the version has computed.
        failed: Images that it failed to compute.
        not_finite: Images that it has computed, and for which one of its numbers is not finite.
        refused: Images that it has computed, and takes for no digit.
        unread: Pictures that it was to answer, in which no digit was found: nothing was computed.
        shadowed: Images that it has computed as a shadow, which are not among the others.
        disagreed: Those of them in which it read something else than the version that answered.
    """

    computed: Count = 0
    failed: Count = 0
    not_finite: Count = 0
    refused: Count = 0
    unread: Count = 0
    shadowed: Count = 0
    disagreed: Count = 0

    @property
    def pictures(self) -> int:
        """All pictures that it was to answer."""
        return self.computed + self.failed + self.unread

    def plus(self, other: "Counts") -> "Counts":
        """The sums."""
        return self._each(other, lambda a, b: a + b)

    def since(self, before: "Counts") -> "Counts":
        """What was counted since an earlier look at the same service."""
        return self._each(before, lambda a, b: max(0, a - b))

    def at_least(self, other: "Counts") -> "Counts":
        """The larger of each two."""
        return self._each(other, max)

    def _each(self, other: "Counts", work: Callable[[int, int], int]) -> "Counts":
        return Counts(**{name: work(getattr(self, name), getattr(other, name)) for name in Counts.model_fields})


@dataclass(frozen=True)
class MetricsPage:
    """What a service shows.

    Attributes:
        start: When it started, in seconds since 1970: its counters began at zero then.
        canary: What it has counted of the canary.
        champion: What it has counted of the champion.
        loaded: Whether it has loaded the canary.
        refused: Why it cannot serve the canary: the class of an error, or `fallback`; "" if there is no reason.
        shares: The name of the canary in its settings, and its share of the calls.
        pinned: The version that is pinned; "" if none is.
        crowded: Whether it has seen more versions than it counts apart.
    """

    start: float
    canary: Counts
    champion: Counts
    loaded: bool
    refused: str
    shares: dict[str, float]
    pinned: str
    crowded: bool = False

    @classmethod
    def of(cls, samples: Sequence[Any], versions: tuple[int, int]) -> "MetricsPage | None":
        """Read the samples of a page of metrics; None if they are not those of a service."""

        def found(name: str, **labels: str) -> dict[str, float]:
            """The values of the series with these labels that are not 0, by their other label."""
            return {
                next((value for key, value in s.labels.items() if key not in labels), ""): s.value
                for s in samples
                if s.name == name and s.value and labels.items() <= s.labels.items()
            }

        start = found("numeral_start_timestamp_seconds")
        if not start:
            return None
        canary = str(versions[0])
        loaded = bool(found("numeral_model_loaded", version=canary))
        refused = found("numeral_model_refused", version=canary)
        return cls(
            start=start[""],
            canary=_counts(found, canary),
            champion=_counts(found, str(versions[1])),
            loaded=loaded,
            refused="" if loaded else next(iter(sorted(refused)), ""),
            shares=found("numeral_canary_share"),
            pinned=next(iter(found("numeral_model_pinned")), ""),
            crowded=bool(found("numeral_model_loaded", version=_OTHER)),
        )


def _counts(found: Callable[..., dict[str, float]], version: str) -> Counts:
    failures = found("numeral_failures_total", version=version)
    rejections = found("numeral_rejections_total", version=version)

    def total(name: str) -> int:
        return int(sum(found(f"numeral_{name}_total", version=version).values()))

    return Counts(
        computed=total("images"),
        failed=int(failures.get(_ERROR, 0)),
        not_finite=int(sum(failures.values()) - failures.get(_ERROR, 0)),
        refused=int(rejections.get(_NOT_A_DIGIT, 0)),
        unread=int(sum(rejections.values()) - rejections.get(_NOT_A_DIGIT, 0)),
        shadowed=total("shadow_images"),
        disagreed=total("shadow_disagreements"),
    )
