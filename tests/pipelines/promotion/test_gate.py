"""Champion or challenger, as a table: validation decides, the test set has no influence."""

from dataclasses import dataclass

import pytest

from core.artifact.manifest import Manifest, Metrics
from core.artifact.origin import DataProvenance
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
        (0.98, None, True, True, "validation accuracy 98.00%, with no champion to compare it with"),
        (0.89, None, True, False, "validation accuracy 89.00%, below the recipe's minimum of 90.00%"),
        (0.89, 0.5, True, False, "validation accuracy 89.00%, below the recipe's minimum of 90.00%"),
        (0.98, 0.97, True, True, "validation accuracy 98.00%, higher than the 97.00% of version 4 (same images)"),
        (0.98, 0.98, True, True, "validation accuracy 98.00%, equal to the 98.00% of version 4 (same images)"),
        (
            0.976,
            0.98,
            True,
            True,
            "validation accuracy 97.60%, at most 0.50 points below the 98.00% of version 4 (same images)",
        ),
        (
            0.974,
            0.98,
            True,
            False,
            "validation accuracy 97.40%, more than 0.50 points below the 98.00% of version 4 (same images)",
        ),
        (
            0.974,
            0.98,
            False,
            True,
            "validation accuracy 97.40% (95% interval 96.92% to 97.81%), against 97.57% to 98.35% of version 4 "
            "on different images: the intervals overlap",
        ),
        (
            0.96,
            0.98,
            False,
            False,
            "validation accuracy 96.00% (95% interval 95.42% to 96.51%), against 97.57% to 98.35% of version 4 "
            "on different images: it is lower",
        ),
        (
            0.98,
            0.96,
            False,
            True,
            "validation accuracy 98.00% (95% interval 97.57% to 98.35%), against 95.42% to 96.51% of version 4 "
            "on different images: it is higher",
        ),
    ],
)
def test_a_challenger_is_promoted_unless_it_is_worse(
    challenger: float, champion: float | None, same_split: bool, promoted: bool, reason: str
) -> None:
    rival = None if champion is None else Champion(metrics(champion), data(0 if same_split else 1))
    verdict = decide(metrics(challenger), data(), rival, RULE)  # type: ignore[arg-type]
    assert verdict.promote is promoted
    assert verdict.parent == (None if champion is None else 4)
    assert verdict.reason == reason


def test_a_manifest_has_the_fields_that_the_decision_reads() -> None:
    assert {"validation", "data", "version"} <= Manifest.model_fields.keys()
