"""Diagnostics: each measure against its definition, and that measuring does not change the training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD
from core.train.diagnostics import Every, LayerDiagnostics, StepDiagnostics, compare, look, steps_between, walk
from core.train.report import EpochReport
from tests.core.train.clouds import clouds, small_network, train_on_clouds
from tests.floats import assert_same_function, by_hand, close

NESTED = [
    {"kind": "dense", "units": 4},
    {
        "kind": "residual",
        "layers": [{"kind": "dense", "units": 5}, {"kind": "batch_norm"}, {"kind": "dropout", "rate": 0.5}],
        "shortcut": [{"kind": "dense", "units": 5}],
    },
    {"kind": "dense", "units": 3},
]


def training(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    return train_on_clouds(network, **{"epochs": 2} | changes)


def one_step(network: Sequential, x: np.ndarray, labels: np.ndarray, rate: float = 0.1) -> StepDiagnostics:
    loss = SoftmaxCrossEntropy()
    loss.forward(network.forward(x, training=True), labels)
    network.backward(loss.backward())
    before = look(network, x)
    SGD().step(network.vector, rate)
    return compare(before, network, 5)


def test_every_measure_is_what_its_definition_says() -> None:
    network = small_network()
    x, labels = clouds(30, 1)
    hidden = x @ network.layers[0].W.value + network.layers[0].b.value
    weights = {name: p.value.copy() for name, p in network.parameters.items()}
    found = one_step(network, x, labels)
    gradients = {name: p.grad.copy() for name, p in network.parameters.items()}
    assert found.step == 5
    assert [layer.name for layer in found.layers] == ["0.dense", "1.relu", "2.dense"]
    first, relu, _ = found.layers
    assert_same_function(
        first.mean, hidden.mean(), terms=hidden.size, dtype=np.float32, scale=float(np.abs(hidden).mean())
    )
    assert_same_function(first.std, hidden.std(), terms=hidden.size, dtype=np.float32)
    assert_same_function(relu.mean, np.maximum(hidden, 0).mean(), terms=hidden.size, dtype=np.float32)

    def length(arrays: dict[str, np.ndarray]) -> float:
        return float(np.linalg.norm(np.concatenate([arrays["0.dense.W"].ravel(), arrays["0.dense.b"]])))

    assert_same_function(first.gradient_norm, length(gradients), terms=24, dtype=np.float32)
    update = 0.1 * length(gradients) / length(weights)
    assert first.update_ratio == close(update, rel=1e-4, why="a difference of weights a hundred times as large")
    assert (relu.gradient_norm, relu.update_ratio, first.idle) == (None, None, None)


def test_a_relus_unit_is_idle_if_it_is_zero_for_all_images() -> None:
    network = build((2,), [{"kind": "relu"}, {"kind": "dense", "units": 3}], rng=np.random.default_rng(0))
    x = np.array([[-1, 1], [-2, -1], [0, -3]], np.float32)  # the second is active once
    assert one_step(network, x, np.array([0, 1, 2])).layers[0].idle == 0.5


def test_a_unit_of_feature_maps_is_a_channel() -> None:
    layers = [{"kind": "relu"}, {"kind": "flatten"}, {"kind": "dense", "units": 3}]
    network = build((2, 2, 4), layers, rng=np.random.default_rng(0))
    x = -np.ones((3, 2, 2, 4), np.float32)
    x[1, 0, 1, 2] = 1  # one pixel of one image keeps the third channel alive
    assert one_step(network, x, np.array([0, 1, 2])).layers[0].idle == 0.75


@pytest.mark.parametrize(("kind", "edge"), [("tanh", 2.178), ("sigmoid", 4.357)])
def test_a_sigmoid_or_tanh_is_idle_below_a_twentieth_of_the_largest_slope(kind: str, edge: float) -> None:
    network = build((4,), [{"kind": kind}, {"kind": "dense", "units": 3}], rng=np.random.default_rng(0))
    x = np.array([[edge - 0.01, edge + 0.01, -edge + 0.01, 0], [-edge - 0.01, 20, -20, 0]], np.float32)
    assert one_step(network, x, np.array([0, 1])).layers[0].idle == by_hand(4 / 8)


def test_a_block_is_measured_as_a_whole_and_layer_by_layer() -> None:
    network = build((2,), NESTED, rng=np.random.default_rng(0))
    found = {layer.name: layer for layer in one_step(network, *clouds(30, 1)).layers}
    assert list(found) == [
        "0.dense",
        "1.residual",
        *(f"1.residual.{name}" for name in ("0.dense", "1.batch_norm", "2.dropout", "shortcut.0.dense")),
        "2.dense",
    ]
    assert found["1.residual"].std > 0
    assert found["1.residual"].gradient_norm is None, "the gradients are reported for the layers within"
    for name in ("1.residual.0.dense", "1.residual.1.batch_norm", "1.residual.shortcut.0.dense"):
        assert (found[name].gradient_norm or 0) > 0
        assert (found[name].update_ratio or 0) > 0


def test_weights_that_are_all_zero_have_no_ratio() -> None:
    network = build((2,), [{"kind": "dense", "units": 3, "init": "zeros"}], rng=np.random.default_rng(0))
    [layer] = one_step(network, *clouds(30, 1)).layers
    assert layer.update_ratio is None
    assert (layer.gradient_norm or 0) > 0


def test_a_walk_visits_each_output_and_changes_nothing() -> None:
    network = build((2,), NESTED, rng=np.random.default_rng(0))
    x, _ = clouds(30, 1)
    state, drawn = network.state(), network.random_state()
    seen: dict[str, np.ndarray] = {}
    walk(network, x, lambda name, y: seen.update({name: y.copy()}), training=False)
    np.testing.assert_array_equal(seen["2.dense"], network.forward(x))
    np.testing.assert_array_equal(
        seen["1.residual"], seen["1.residual.2.dropout"] + seen["1.residual.shortcut.0.dense"]
    )
    walk(network, x, lambda name, y: None)
    assert network.random_state() == drawn
    for name, array in network.state().items():
        np.testing.assert_array_equal(array, state[name])


@pytest.mark.parametrize("shards", [1, 2])
def test_diagnostics_change_no_bit_of_the_training(shards: int) -> None:
    networks = [build((2,), NESTED, rng=np.random.default_rng(0)) for _ in range(2)]
    blind = list(training(networks[0], shards=shards))
    seeing = list(training(networks[1], shards=shards, diagnose_every=1, clip_norm=1e9))
    np.testing.assert_array_equal(networks[0].vector.value, networks[1].vector.value)
    assert [report.train_loss for report in blind] == [report.train_loss for report in seeing]
    assert all(report.diagnostics == () for report in blind)


def test_every_nth_step_is_reported_with_its_epoch() -> None:
    reports = list(training(small_network(), diagnose_every=4))  # 10 steps an epoch
    assert [[found.step for found in report.diagnostics] for report in reports] == [[0, 4, 8], [12, 16]]


def test_gradients_are_measured_before_they_are_clipped() -> None:
    def first(**changes: Any) -> LayerDiagnostics:
        [report] = training(small_network(), epochs=1, diagnose_every=10, **changes)
        return report.diagnostics[0].layers[0]

    assert first(clip_norm=0.01).gradient_norm == first().gradient_norm
    assert (first(clip_norm=0.01).update_ratio or 0) < 0.1 * (first().update_ratio or 0)


def test_a_relu_before_a_pooling_is_visited_in_the_order_of_the_recipe() -> None:
    layers = [{"kind": "conv2d", "channels": 2, "kernel": 3}, {"kind": "relu"}, {"kind": "maxpool2d"}]
    network = build((8, 8, 1), layers, rng=np.random.default_rng(0))
    shown: dict[str, np.ndarray] = {}
    walk(
        network, np.random.default_rng(1).standard_normal((3, 8, 8, 1)), lambda name, y: shown.update({name: y.copy()})
    )
    assert [y.shape[1:] for y in shown.values()] == [(6, 6, 2), (6, 6, 2), (3, 3, 2)]
    np.testing.assert_array_equal(shown["1.relu"], np.maximum(shown["0.conv2d"], 0))


@pytest.mark.parametrize(
    ("every", "steps", "parameters", "expected"),
    [
        (0, 6_000, 100, 0),
        (7, 6_000, 10_000_000, 7),
        ("auto", 6_000, 500_000, 200),
        ("auto", 6_001, 100, 201),  # rounded up: never more than thirty looks
        ("auto", 50, 100, 16),  # a short training is not looked at all the time
        ("auto", 6_000, 500_001, 0),
    ],
)
def test_unasked_a_small_network_is_measured_about_thirty_times(
    every: Every, steps: int, parameters: int, expected: int
) -> None:
    assert steps_between(every, steps=steps, parameters=parameters) == expected


def test_a_training_that_is_measured_unasked_spreads_its_looks_over_all_epochs() -> None:
    reports = list(training(small_network(), diagnose_every="auto", epochs=2))  # ten steps of 32 images each
    assert [step.step for report in reports for step in report.diagnostics] == [0, 16]
