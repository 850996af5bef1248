"""Evidence for the gate: a sound challenger and a champion, of which a test changes one thing."""

from dataclasses import replace
from typing import Any

from core.artifact.manifest import Metrics, Verdict
from core.measure.evaluate import wilson_interval
from pipelines.promotion.evidence import Best, Comparison, Evidence
from pipelines.promotion.gate import decide
from pipelines.promotion.paired import Pairs
from pipelines.sections import PromotionSection

CHAMPION = 4


def metrics(accuracy: float, count: int = 5000, **changed: Any) -> Metrics:
    """Measures of a version that reads every digit equally well."""
    interval = wilson_interval(round(accuracy * count), count)
    return Metrics(
        count=count,
        accuracy=accuracy,
        interval=interval,
        loss=0.1,
        **({"calibration_error": 0.01, "per_class": (accuracy,) * 10} | changed),
    )


def beside(accuracy: float, pairs: Pairs | None, **changed: Any) -> Comparison:
    """A comparison with the champion, which has this accuracy."""
    sound = Comparison(
        version=CHAMPION,
        role="the champion and the best version so far",
        validation=metrics(accuracy),
        parameters=100_000,
        accuracy=pairs,
        digits={str(digit): Pairs(500, 6, 6) for digit in range(10)},
        robustness={"shifted up": Pairs(1250, 100, 100), "blurred": Pairs(1250, 50, 50)},
        slices={"drawn digits": Pairs(500, 20, 20), "handwriting": Pairs(200, 5, 5)},
    )
    return replace(sound, **changed)


def evidence(accuracy: float, *compared: Comparison, **changed: Any) -> Evidence:
    """What is known of a challenger with this accuracy."""
    champion = next((c for c in compared if c.version == CHAMPION), None)
    known = Evidence(
        validation=metrics(accuracy),
        parameters=100_000,
        parent=champion.version if champion else None,
        compared=compared,
        best=Best(champion.version, champion.validation.accuracy) if champion else None,
        consulted=3,
    )
    return replace(known, **changed)


def verdict(found: Evidence, **rule: Any) -> Verdict:
    """The gate's decision with a recipe's rule."""
    return decide(found, PromotionSection(**rule))
