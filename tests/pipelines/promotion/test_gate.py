"""The gate, as a table: what it lets through, what it refuses, and why."""

from dataclasses import replace
from typing import Any

import pytest

from core.artifact.manifest import Check, Verdict
from pipelines.promotion.evidence import Best
from pipelines.promotion.paired import Pairs
from tests.pipelines.promotion.gate_inputs import CHAMPION, beside, evidence, metrics, verdict

EQUAL = Pairs(5000, 50, 50)


def failed(found: Verdict) -> list[str]:
    return [check.name for check in found.checks if check.passed is False]


def check(found: Verdict, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


@pytest.mark.parametrize(
    ("accuracy", "champion", "pairs", "promoted", "reason"),
    [
        (0.98, None, None, True, "validation accuracy 98.00%, with no champion to compare it with"),
        (0.89, None, None, False, "validation accuracy 89.00%, below the recipe's minimum of 90.00%"),
        (
            0.98,
            0.97,
            Pairs(5000, 50, 100),
            True,
            "validation accuracy 98.00%, against 97.00% of version 4, the champion and the best version so far, on the "
            "same 5,000 images: with 95% confidence more accurate by at least 0.60 points",
        ),
        (
            0.98,
            0.98,
            EQUAL,
            True,
            "validation accuracy 98.00%, against 98.00% of version 4, the champion and the best version so far, on the "
            "same 5,000 images: with 95% confidence at most 0.34 points less accurate, and 0.50 points are allowed",
        ),
        (
            0.976,
            0.98,
            Pairs(5000, 60, 40),
            False,
            "validation accuracy 97.60%, against 98.00% of version 4, the champion and the best version so far, on the "
            "same 5,000 images: with 95% confidence at most 0.74 points less accurate, and 0.50 points are allowed",
        ),
    ],
)
def test_a_challenger_must_show_that_it_is_not_worse(
    accuracy: float, champion: float | None, pairs: Pairs | None, promoted: bool, reason: str
) -> None:
    found = verdict(evidence(accuracy, *([] if champion is None else [beside(champion, pairs)])))
    assert (found.promote, found.reason) == (promoted, reason)
    assert found.parent == (None if champion is None else CHAMPION)
    assert found.parent_accuracy == champion


@pytest.mark.parametrize(
    ("changed", "promoted", "words"),
    [
        ({"validation": metrics(0.974)}, False, "-1.19 to -0.01 points, so it is lower"),
        ({"validation": metrics(0.978)}, True, "-0.77 to +0.37 points, so neither is shown to be better"),
        ({"validation": metrics(0.99)}, True, "+0.53 to +1.49 points, so it is higher"),
    ],
)
def test_on_different_images_only_a_shown_difference_rejects(
    changed: dict[str, Any], promoted: bool, words: str
) -> None:
    apart = beside(0.98, None, why_apart="none validated both", digits={}, robustness={})
    found = verdict(evidence(0.98, apart, **changed))
    assert found.promote is promoted
    assert "of version 4, the champion and the best version so far, on different images (none validated" in found.reason
    assert words in found.reason


@pytest.mark.parametrize(
    ("name", "rival", "changed"),
    [
        ("digits against version 4", {"digits": {"3": Pairs(500, 6, 6), "5": Pairs(500, 20, 2)}}, {}),
        ("altered images against version 4", {"robustness": {"shifted up": Pairs(1250, 600, 10)}}, {}),
        ("drawn digits against version 4", {"slices": {"drawn digits": Pairs(500, 60, 20)}}, {}),
        ("handwriting against version 4", {"slices": {"handwriting": Pairs(200, 20, 5)}}, {}),
        ("size against version 4", {"parameters": 1000}, {}),
        ("calibration", {}, {"validation": metrics(0.98, calibration_error=0.2)}),
        ("worst digit", {}, {"validation": metrics(0.98, per_class=(0.5, *(0.98,) * 9))}),
        ("validation images", {}, {"validation": metrics(1.0, count=1)}),
        ("validation images", {}, {"validation": metrics(1.0, count=601)}),
    ],
)
def test_one_check_alone_rejects_whatever_the_accuracy(
    name: str, rival: dict[str, Any], changed: dict[str, Any]
) -> None:
    sound = evidence(0.98, beside(0.98, EQUAL))
    assert verdict(sound).promote
    found = verdict(evidence(0.98, beside(0.98, EQUAL, **rival), **changed))
    assert failed(found)[0] == name
    assert not found.promote
    assert found.reason.startswith(check(found, name).words)


def test_one_validation_image_is_too_few_even_for_the_first_version() -> None:
    found = verdict(evidence(1.0, validation=metrics(1.0, count=1)))
    assert not found.promote
    assert found.reason == (
        "validation on 1 image; to notice a drop of 0.50 points with 95% confidence takes at least 602"
    )


def test_a_slice_with_too_few_pictures_is_not_decided_and_stops_nothing() -> None:
    found = verdict(evidence(0.98, beside(0.98, EQUAL, slices={"handwriting": Pairs(20, 5, 0)})))
    assert found.promote
    assert check(found, "handwriting against version 4").passed is None
    assert "not decided: 20 images" in check(found, "handwriting against version 4").words


def test_a_digit_with_few_images_is_below_the_floor_only_if_that_is_shown() -> None:
    few = metrics(0.98, per_class=(0.7, *(0.98,) * 9), per_class_intervals=((0.4, 0.9), *((0.9, 1.0),) * 9))
    assert verdict(evidence(0.98, validation=few)).promote
    shown = few.model_copy(update={"per_class_intervals": ((0.6, 0.79), *((0.9, 1.0),) * 9)})
    found = verdict(evidence(0.98, validation=shown))
    assert "70.00% of the validation images of 0 are read correctly, below" in found.reason


def test_the_best_version_counts_beside_the_champion() -> None:
    best = beside(0.985, Pairs(5000, 70, 30), version=2, role="the best version so far")
    champion = beside(0.978, EQUAL, role="the champion")
    found = verdict(evidence(0.978, champion, best, best=Best(2, 0.985)))
    assert failed(found) == ["accuracy against version 2"]
    assert (found.parent, found.best) == (CHAMPION, 2)


def test_the_best_version_counts_even_after_it_was_pruned() -> None:
    champion = beside(0.978, EQUAL, role="the champion")
    found = verdict(evidence(0.978, champion, best=Best(2, 0.99)))
    assert failed(found) == ["accuracy against version 2"]
    assert "which can no longer be read" in found.reason
    assert verdict(evidence(0.978, champion, best=Best(2, 0.98))).promote


def test_a_damaged_best_version_is_compared_as_strictly_as_a_pruned_one() -> None:
    damaged = beside(0.985, None, readable=False, digits={}, robustness={}, slices={})
    found = verdict(evidence(0.978, damaged))
    assert failed(found) == ["accuracy against version 4"]
    assert len([c for c in found.checks if c.name == "accuracy against version 4"]) == 1
    assert found.reason == (
        "validation accuracy 97.80%, against 98.50% of version 4, the champion and the best version so far, which can "
        "no longer be read; 0.50 points less are allowed"
    )


def test_a_damaged_champion_beside_a_better_version_is_not_said_to_have_other_images() -> None:
    damaged = beside(0.98, None, readable=False, role="the champion", digits={}, robustness={}, slices={})
    best = beside(0.98, EQUAL, version=2, role="the best version so far")
    found = verdict(evidence(0.98, damaged, best, best=Best(2, 0.98)))
    assert found.promote
    assert "of version 4, the champion, which can no longer be read: the 95% interval" in found.reason
    assert "different images" not in found.reason


def test_that_the_champion_cannot_be_compared_is_said_beside_what_could_be() -> None:
    best = beside(0.98, EQUAL, version=2, role="the best version so far")
    found = verdict(evidence(0.98, best, parent=CHAMPION, best=Best(2, 0.98)))
    assert "of version 2, the best version so far, on the same 5,000 images" in found.reason
    assert found.reason.endswith("; version 4, the champion, is damaged and cannot be compared with it")


@pytest.mark.parametrize(("gained", "improves"), [(50, False), (59, False), (62, True)])
def test_only_an_improvement_beyond_the_step_makes_a_version_the_best(gained: int, improves: bool) -> None:
    found = verdict(evidence(0.98, beside(0.98, Pairs(5000, 50, gained))))
    assert found.improves is improves


@pytest.mark.parametrize(("accuracy", "improves"), [(0.981, False), (0.985, True)])
def test_a_pruned_best_version_is_replaced_by_one_that_is_clearly_better(accuracy: float, improves: bool) -> None:
    champion = beside(0.978, Pairs(5000, 20, 60), role="the champion")
    assert verdict(evidence(accuracy, champion, best=Best(2, 0.98))).improves is improves


def test_a_chain_of_ever_slightly_worse_versions_ends_at_the_margin() -> None:
    """Each version reads 5 of 5,000 images fewer than the last: too few for a comparison with the last alone."""
    sound, best = beside(0.9784, EQUAL), Best(CHAMPION, 0.9784)
    promoted = 0
    for step in range(1, 17):
        last = replace(sound, version=9, accuracy=Pairs(5000, 5, 0), role="the champion")
        first = replace(sound, accuracy=Pairs(5000, 5 * step, 0), role="the best version so far")
        assert verdict(evidence(0.9784 - 0.001 * step, last, best=Best(9, 0.9784 - 0.001 * (step - 1)))).promote
        promoted += verdict(evidence(0.9784 - 0.001 * step, last, first, best=best)).promote
    assert promoted == 3, "0.3 points in all, of which 0.5 are allowed"


def test_a_rejection_names_every_check_that_failed() -> None:
    found = verdict(evidence(0.85, beside(0.98, Pairs(5000, 700, 50), parameters=10)))
    assert found.reason == (
        "validation accuracy 85.00%, below the recipe's minimum of 90.00%; it also failed: accuracy against version 4, "
        "size against version 4"
    )


def test_the_reason_names_the_accuracy_once_and_both_versions() -> None:
    champion = beside(0.979, EQUAL, role="the champion")
    best = beside(0.98, EQUAL, version=2, role="the best version so far")
    found = verdict(evidence(0.98, champion, best, best=Best(2, 0.98)))
    assert found.promote
    bound = (
        "on the same 5,000 images: with 95% confidence at most 0.34 points less accurate, and 0.50 points are allowed"
    )
    assert found.reason == (
        f"validation accuracy 98.00%, against 97.90% of version 4, the champion, {bound}; "
        f"against 98.00% of version 2, the best version so far, {bound}"
    )
