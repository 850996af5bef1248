"""The model card: complete, and valid Markdown."""

import re

from core.artifact.manifest import Calibration, Verdict
from pipelines.report import render_card
from tests.pipelines.report.report_inputs import EVALUATION, REJECTING, manifest, metrics


def test_the_card_renders_the_numbers_of_the_manifest():
    card = render_card(manifest()).decode()
    low, high = EVALUATION.interval
    assert card.startswith("# Model card: mnist version 3\n")
    assert "| Accuracy | 97.84% | 92.50% |" in card
    assert f"| 97.40% to 98.21% | {low:.2%} to {high:.2%} |" in card
    assert f"| {EVALUATION.calibration_error:.2%} |" in card
    assert f"| … before temperature scaling | {EVALUATION.raw_calibration_error:.2%} |" in card
    assert "softmax(logits / 1.25)" in card
    assert "| 4 | 50.00% (15.0% to 85.0%) | 50.00% (15.0% to 85.0%) |" in card
    assert "| 7 | 75.00% (30.1% to 95.4%) | 75.00% (30.1% to 95.4%) |" in card
    assert "| drops of rain | 10 | 30.00% | 10.78% to 60.32% |" in card
    assert "| Parameters | 4,780 |" in card
    assert "55,000 training images" in card
    assert "split with seed 17" in card
    assert "CC BY-SA 3.0" in card
    assert "passed the gate: better than before" in card
    assert 'load(Repository("./models"), 3)' in card
    for heading in (
        "Model details",
        "Intended use",
        "Limits",
        "Training data",
        "Metrics",
        "How to use it",
        "Provenance",
    ):
        assert f"\n## {heading}\n" in card


def test_the_card_of_a_version_without_intervals_has_none():
    older = metrics(raw_calibration_error=None, per_class_intervals=())
    card = render_card(manifest(validation=older, test=older, calibration=Calibration(), robustness={})).decode()
    assert "| 4 | 50.00% | 50.00% |" in card
    assert "| … before temperature scaling | – | – |" in card
    assert "altered test images" not in card


def test_the_card_says_what_was_drawn_and_what_is_rejected():
    card = render_card(manifest(**REJECTING)).decode()
    assert "with seed 5: 7,000 digits in writing styles that MNIST lacks and 3 images that show no digit" in card
    assert "| test images | 10,000 | 0.12% | 0.07% to 0.21% | 0% |" in card
    assert "| drawn images that show no digit | 2,000 | 95.40% | 94.39% to 96.23% | 100% |" in card
    assert "probability of showing a digit is below 0.25" in card
    assert "are not rejected" not in card


def test_the_card_of_a_version_that_rejects_nothing_says_so():
    card = render_card(manifest()).decode()
    assert "Numbers, letters and signs are not rejected" in card
    assert "seem to show no digit" not in card


def test_every_row_of_a_card_table_has_as_many_cells_as_its_head():
    card = render_card(manifest(verdict=Verdict(promote=False, reason="a | b", parent=None), **REJECTING)).decode()
    for block in card.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1
