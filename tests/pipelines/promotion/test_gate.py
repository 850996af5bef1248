"""Champion or challenger, as a table: validation decides, the test set has no say."""

import re
from dataclasses import dataclass

import pytest

from core.artifact.manifest import DataProvenance, Manifest, Metrics
from core.measure.evaluate import wilson_interval
from pipelines.promotion.gate import decide
from pipelines.recipe import PromotionSection

RULE = PromotionSection(min_accuracy=0.9, max_accuracy_drop=0.005)


def metrics(accuracy: float, count: int = 5000) -> Metrics:
    interval = wilson_interval(round(accuracy * count), count)
    return Metrics(
        count=count, accuracy=accuracy, interval=interval, loss=0.1, calibration_error=0.01, per_class=(accuracy,) * 10
    )


def data(split_seed: int = 0) -> DataProvenance:
    return DataProvenance(
        files={"train": "0" * 64},
        train_images=55_000,
        validation_images=5000,
        test_images=10_000,
        split_seed=split_seed,
        license="CC BY-SA 3.0",
    )


@dataclass
class Champion:
    """As much of a manifest as the decision reads."""

    validation: Metrics
    data: DataProvenance
    version: int = 4
    test: None = None  # the decision must not look at it


@pytest.mark.parametrize(
    ("challenger", "champion", "same_split", "promoted", "reason"),
    [
        (0.98, None, True, True, "the first champion"),
        (0.89, None, True, False, "89.00% is below the recipe's floor of 90.00%"),
        (0.98, 0.97, True, True, "98.00% against 97.00% of version 4"),
        (0.976, 0.98, True, True, "allowed drop 0.50%"),
        (0.974, 0.98, True, False, "worse: validation accuracy 97.40% against 98.00%"),
        (0.89, 0.5, True, False, "floor"),
        (0.974, 0.98, False, True, "95% intervals, other images"),
        (0.96, 0.98, False, False, "worse: .*95% intervals, other images"),
    ],
)
def test_a_challenger_is_promoted_unless_it_is_worse(
    challenger: float, champion: float | None, same_split: bool, promoted: bool, reason: str
) -> None:
    rival = None if champion is None else Champion(metrics(champion), data(0 if same_split else 1))
    verdict = decide(metrics(challenger), data(), rival, RULE)  # type: ignore[arg-type]
    assert verdict.promote is promoted
    assert verdict.parent == (None if champion is None else 4)
    assert re.search(reason, verdict.reason), verdict.reason


def test_the_manifest_has_what_the_decision_reads() -> None:
    assert {"validation", "data", "version"} <= Manifest.model_fields.keys()
