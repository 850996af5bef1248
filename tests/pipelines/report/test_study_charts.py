"""The chart of a study: names that do not cover each other, and what a screen reader says."""

import math

import pytest
from matplotlib.figure import Figure

from pipelines.report.line_labels import apart
from pipelines.report.study_charts import Curve, _overlay, overlaid
from tests.floats import by_hand


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.2, 0.8], [0.2, 0.8]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.5, 0.2, 0.52], [0.46, 0.2, 0.56]),
        ([0.3, 0.35, 0.43], [0.26, 0.36, 0.46]),  # three that push each other
        ([1.0, 1.0, 1.0], [0.8, 0.9, 1.0]),  # none above the chart
        ([0.0, 0.02], [0.0, 0.1]),  # none below it
    ],
)
def test_names_move_as_little_as_needed_to_lie_a_gapapart(places: list[float], moved: list[float]) -> None:
    assert apart(places, 0.1) == by_hand(moved)


def test_a_chart_names_the_last_value_of_each_variant_and_which_one_diverged() -> None:
    curves = [
        Curve("well", range(3), [2.3, 0.4, 0.25]),
        Curve("ill", range(2), [2.3, 90.0], diverged=True),
        Curve("nothing", (), ()),
        Curve("no number", range(1), [math.nan]),
    ]
    svg = overlaid("Validation loss", curves, log=True)
    assert 'aria-label="Validation loss: at the end, well 0.25, ill diverged, no number –."' in svg
    assert "ill ✕" in svg
    assert "well ✕" not in svg
    assert "var(--v0)" in svg
    assert "var(--v1)" in svg


@pytest.mark.parametrize(
    ("lowest", "upwards_to"),
    [
        (1.0, 12.0),  # what diverges hides nothing
        (200.0, 600.0),  # and where all do, they are shown
    ],
)
def test_losses_are_cut_off_only_where_some_are_lower(lowest: float, upwards_to: float) -> None:
    axes = Figure().subplots()
    _overlay(axes, [Curve("a", range(2), [lowest, 500.0])], ["#000000"], log=True)
    low, high = axes.get_ylim()
    assert low < lowest
    assert lowest < high <= upwards_to
