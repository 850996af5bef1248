"""What report and card show of the gate's verdict."""

import pytest

from core.artifact.manifest import Check, Slice, Verdict
from pipelines.report import render_card
from tests.pipelines.report.report_inputs import Page, manifest, report

CHECKED = Verdict(
    promote=False,
    reason="worse",
    parent=2,
    best=1,
    consulted=7,
    checks=(
        Check(name="accuracy against version 2", found=-0.01, wanted=-0.005, passed=False, words="1 point less"),
        Check(name="handwriting against version 2", found=20, wanted=60, passed=None, words="too few pictures"),
    ),
    slices=(Slice(name="handwriting", images=20, accuracy=0.9, sha256="0" * 64),),
    instruction="always",
    instructed_by="ada@home",
)


def test_the_report_shows_every_check_of_the_gate_and_who_overruled_it():
    page = Page(report(manifest=manifest(verdict=CHECKED)))
    words = page.words()
    assert "accuracy against version 2failed1 point less" in words
    assert "handwriting against version 2not decidedtoo few pictures" in words
    assert "Handwriting: 20 pictures that nobody trains on, of which 90.00% are read correctly" in words
    assert "It was promoted by order of ada@home, whatever the gate said." in words
    assert "These validation images have now been used to judge 7 versions." in words
    assert "#gate" in page.values("href")


def test_the_card_shows_every_check_of_the_gate():
    card = render_card(manifest(verdict=CHECKED)).decode()
    assert "| accuracy against version 2 | failed | 1 point less |" in card
    assert "| Best version then | version 1 |" in card
    assert "used to judge 7 versions" in card


def passed(**fields: object) -> Verdict:
    """A verdict on a version that reads 97.84% of the validation images correctly, and may become the champion."""
    return Verdict.model_validate({"promote": True, "reason": "close enough", "parent": 2} | fields)


def badge(verdict: Verdict) -> tuple[str, str]:
    """How the report's first box is colored, and what stands in it."""
    page = Page(report(manifest=manifest(verdict=verdict)))
    (color,) = (name for name in page.values("class") if name.split()[0] == "verdict")
    return color, page.words().split("Test accuracy")[0]


LOWER = [
    (
        {"parent_accuracy": 0.9804},
        "Passed the gate, with a lower accuracy than version 2",
        "The validation accuracy, 97.84%, is 0.2 points lower than that of version 2, the champion then (98.04%): a "
        "drop that the gate allows.",
    ),
    (
        {"parent_accuracy": 0.97, "best": 1, "best_accuracy": 0.979},
        "Passed the gate, with a lower accuracy than version 1",
        "The validation accuracy, 97.84%, is 0.06 points lower than that of version 1, the best version before "
        "(97.90%): a drop that the gate allows.",
    ),
    (
        {"parent_accuracy": 0.9804, "best": 2, "best_accuracy": 0.9804},
        "Passed the gate, with a lower accuracy than version 2",
        "The validation accuracy, 97.84%, is 0.2 points lower than that of version 2, the champion then (98.04%): a "
        "drop that the gate allows.",
    ),
    (
        {"parent_accuracy": 0.98, "best": 1, "best_accuracy": 0.9884},
        "Passed the gate, with a lower accuracy than versions 2 and 1",
        "The validation accuracy, 97.84%, is 0.16 points lower than that of version 2, the champion then (98.00%), and "
        "1 point lower than that of version 1, the best version before (98.84%): a drop that the gate allows.",
    ),
]


@pytest.mark.parametrize(("fields", "said", "sentence"), LOWER)
def test_a_lower_accuracy_within_the_allowed_drop_is_said_beside_the_badge_which_is_not_green(
    fields: dict[str, object], said: str, sentence: str
) -> None:
    color, words = badge(passed(**fields))
    assert color == "verdict lower"
    assert f"{said}: close enough." in words
    assert sentence in words
    card = render_card(manifest(verdict=passed(**fields))).decode()
    assert f"| Verdict | {said[0].lower()}{said[1:]}: close enough |" in card


@pytest.mark.parametrize(
    "verdict",
    [
        passed(),  # of an older version: nobody knows
        passed(parent_accuracy=0.9784),
        passed(parent_accuracy=0.97, best=1, best_accuracy=0.9784),
        passed(parent=None),
    ],
)
def test_a_version_that_is_not_less_accurate_has_a_plain_green_badge(verdict: Verdict) -> None:
    color, words = badge(verdict)
    assert color == "verdict yes"
    assert "Passed the gate: close enough." in words
    assert "lower" not in words


def test_a_rejected_version_is_not_said_to_be_within_the_allowed_drop() -> None:
    color, words = badge(passed(promote=False, parent_accuracy=0.99))
    assert color == "verdict"
    assert "Rejected by the gate: close enough." in words
    assert "a drop that the gate allows" not in words
