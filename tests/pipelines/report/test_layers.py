"""The charts of each layer during training, in the report of a training that took diagnostics."""

import re
from dataclasses import replace
from math import inf, nan

import pytest

from core.train.diagnostics import LayerDiagnostics, StepDiagnostics
from core.train.report import EpochReport
from pipelines.recipe import load_recipe
from pipelines.report import layers as charts
from tests.marks import NO_WARNING
from tests.pipelines.report.report_inputs import Page, epochs, manifest, report


def step(number: int, *layers: LayerDiagnostics) -> StepDiagnostics:
    return StepDiagnostics(number, layers)


def layers(gradient: float) -> tuple[LayerDiagnostics, ...]:
    return (
        LayerDiagnostics("0.dense", 0.1, 1.5, gradient_norm=gradient, update_ratio=1e-3),
        LayerDiagnostics("1.relu", 0.4, 0.6, idle=0.25),
        LayerDiagnostics("2.dense", 0.0, 2.5, gradient_norm=3.5, update_ratio=2e-3),
    )


STEPS = (step(0, *layers(1e-7)), step(50, *layers(2e-7)), step(100, *layers(4e-7)))


def history() -> list[EpochReport]:
    first, *rest = epochs(3)
    return [replace(first, diagnostics=STEPS), *rest]


def names(charts: tuple[str, ...]) -> list[str]:
    return [re.search('aria-label="([^"]*)"', chart)[1] for chart in charts]  # type: ignore[index]


def test_each_measure_has_a_chart_with_a_line_for_each_layer_that_has_it() -> None:
    assert names(charts.charts(STEPS)) == [
        "Length of the gradient: at step 100, 0.dense 4e-07, 2.dense 3.5.",
        "Update, as a share of the weights: at step 100, 0.dense 0.001, 2.dense 0.002.",
        "Spread of the outputs, in layers with weights: at step 100, 0.dense 1.5, 2.dense 2.5.",
        "Idle units: at step 100, 1.relu 0.25.",
    ]


def test_gradients_have_a_logarithmic_scale_and_idle_units_one_in_percent() -> None:
    gradient, *_, idle = charts.charts(STEPS)
    assert ">10⁻⁶<" in gradient
    assert "100%" in idle


def test_lines_run_from_one_color_of_the_page_to_the_other() -> None:
    gradient = charts.charts(STEPS)[0]
    assert "color-mix(in oklab, var(--validation) 0%, var(--train))" in gradient
    assert "color-mix(in oklab, var(--validation) 100%, var(--train))" in gradient
    assert "#0001" not in gradient


def test_a_measure_that_no_layer_has_gets_no_chart() -> None:
    linear = step(0, LayerDiagnostics("0.dense", 0.0, 1.0, gradient_norm=1.0))
    assert [name.split(":")[0] for name in names(charts.charts([linear]))] == [
        "Length of the gradient",
        "Spread of the outputs, in layers with weights",
    ]
    assert charts.charts([]) == ()


@pytest.mark.parametrize("value", [0.0, nan, inf])
@NO_WARNING
def test_a_value_without_a_logarithm_leaves_a_gap(value: float) -> None:
    gradient = charts.charts([*STEPS, step(150, *layers(value))])[0]
    assert "0.dense –, 2.dense 3.5" in names((gradient,))[0]


def test_a_report_has_the_section_only_if_diagnostics_were_taken() -> None:
    html = report(history=history())
    page = Page(html)
    assert "Inside the network" in page.words()
    assert sum("at step 100" in label for label in page.values("aria-label")) == 4
    assert report(history=history()) == html
    without = Page(report())
    assert "Inside the network" not in without.words()
    assert "#inside" not in without.values("href")


def test_for_an_ensemble_the_first_member_is_shown() -> None:
    two = [*history(), replace(epochs(3)[0], diagnostics=(step(0, *layers(1.0)),)), *epochs(3)[1:]]
    page = Page(report(history=two))
    assert sum("at step 100" in label for label in page.values("aria-label")) == 4
    assert "while the first member was trained" in page.words()
    assert "validation loss was lowest after epoch" not in page.words()


def test_a_report_says_why_training_stopped_and_which_weights_were_kept() -> None:
    *rest, last = epochs(5)[:4]
    stopped = [*rest, replace(last, stopped="no lower validation loss in 1 epoch than after epoch 3")]
    recipe = load_recipe("mlp", ["train.keep_best=true"]).model_dump(mode="json")
    words = Page(report(history=stopped, manifest=manifest(recipe=recipe))).words()
    assert (
        "Training stopped early, after epoch 4 of 5: no lower validation loss in 1 epoch than after epoch 3." in words
    )
    best = min(stopped, key=lambda report: report.validation_loss).epoch
    assert f"The weights of epoch {best} were kept." in words
    plain = Page(report()).words()
    assert "stopped early" not in plain
    assert "were kept." not in plain


def test_the_numbers_of_steps_leave_room_between_them() -> None:
    many = [step(number, *layers(1e-3)) for number in range(0, 26_000, 1000)]
    for chart in charts.charts(many):
        found = [int(text) for text in re.findall(r">(\d{4,5})</text>", chart)]
        assert 2 <= len(found) <= 5, found
