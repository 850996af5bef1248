"""The small charts of layers: each layer in its place, and the reason where there is no chart."""

from dataclasses import replace

import pytest

from pipelines.report.study_layers import layer_charts
from pipelines.study.variant_outcome import Outcome
from tests.pipelines.report.test_diagnosis import history, look

GRADIENT, UPDATE, IDLE = "Length of the gradient", "Update, as a share of the weights", "Idle units"


def outcome(name: str, **changes: object) -> Outcome:
    """A training of two epochs, measured once."""
    fields = {
        "history": tuple(history([0.5, 0.3], [0.4, 0.2], [look(norms=(0.01, 0.5))])),
        "initial_loss": 2.3,
        "initial_accuracy": 0.1,
        "parameters": 1,
        "seconds": 1.0,
        "images": 10,
        "validation_images": 10,
        "kept_epoch": 2,
    }
    return Outcome.model_validate(fields | changes)


def test_each_variant_has_a_small_chart_of_each_measure_or_a_gap_that_is_named() -> None:
    blank = outcome("b", history=(), diverged="step 2: the loss is nan", kept_epoch=0)
    charts = layer_charts({"a": outcome("a"), "b": blank})
    assert list(charts) == [GRADIENT, UPDATE, IDLE]
    for of_measure in charts.values():
        assert [name for name, _ in of_measure] == ["a", "b"]
        assert of_measure[1][1] == "not measured: no epoch was whole"
    (_, gradient), _ = charts[GRADIENT]
    assert f'aria-label="{GRADIENT}, a: at the last look, layer 1 0.01, layer 2 0.5."' in str(gradient)


def test_a_measure_that_no_variant_has_gets_no_charts() -> None:
    assert layer_charts({"a": outcome("a", history=())}) == {}


@pytest.mark.parametrize(
    ("without", "spoken"),
    [
        ((True, False), "layer 1 0.001, layer 2 0.002"),
        ((False, True), "layer 2 0.002"),
        ((True, True), "layer 2 0.002"),  # as the first layers of a network that begins with zeros
    ],
)
def test_a_layer_without_a_value_leaves_a_gap_and_moves_no_other(without: tuple[bool, bool], spoken: str) -> None:
    looks = [look(ratios=(1e-3, 2e-3), step=step) for step in (0, 8)]
    for at, missing in enumerate(without):
        first, *others = looks[at].layers
        looks[at] = replace(looks[at], layers=(replace(first, update_ratio=None) if missing else first, *others))
    ((_, chart),) = layer_charts({"a": outcome("a", history=tuple(history([0.5], [0.4], looks)))})[UPDATE]
    assert f'aria-label="{UPDATE}, a: at the last look, {spoken}."' in chart


def test_where_a_variant_has_no_small_chart_the_reason_is_its_own() -> None:
    leaky, blank = look(kind="leaky_relu"), look()
    leaky = replace(leaky, layers=tuple(replace(layer, idle=None) for layer in leaky.layers))
    blank = replace(blank, layers=tuple(replace(layer, update_ratio=None) for layer in blank.layers))
    charts = layer_charts(
        {
            "measured": outcome("a"),
            "leaky": outcome("b", history=tuple(history([0.5], [0.4], [leaky]))),
            "blank": outcome("c", history=tuple(history([0.5], [0.4], [blank]))),
            "unseen": outcome("d", history=tuple(history([0.5], [0.4]))),
            "diverged": outcome("e", history=(), diverged="step 2: the loss is nan", kept_epoch=0),
        }
    )
    assert dict(charts[IDLE])["leaky"] == "not defined for its layers: defined for ReLU, tanh and sigmoid alone"
    assert dict(charts[UPDATE])["blank"] == "not defined for its layers: a share of weights that are all 0"
    unseen = "not measured: train.diagnose_every is 0, or the network has over 500,000 parameters"
    for of_measure in map(dict, charts.values()):
        assert of_measure["unseen"] == unseen
        assert of_measure["diverged"] == "not measured: no epoch was whole"
