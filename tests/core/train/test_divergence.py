"""Divergence: the error names the step and the layer in which a number was the first that is not finite."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from core.data.batches import Batches
from core.errors import DivergenceError
from core.nn.architectures import build
from core.nn.layer import Parameter
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD, Momentum
from core.train import loop
from core.train.report import EpochReport
from tests.core.train.clouds import clouds, small_network, train_on_clouds

NESTED = [
    {"kind": "dense", "units": 4},
    {"kind": "residual", "layers": [{"kind": "dense", "units": 4}, {"kind": "tanh"}]},
    {"kind": "batch_norm"},
    {"kind": "dense", "units": 3},
]


def training(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    return train_on_clouds(network, **{"epochs": 2} | changes)


def message(network: Sequential, **changes: Any) -> str:
    with pytest.raises(DivergenceError) as caught:
        list(training(network, **changes))
    return str(caught.value)


class At(SGD):
    """Does something to the weights at one step."""

    def __init__(self, at: int, then: Callable[[], None]) -> None:
        super().__init__()
        self._at, self._then = at, then

    def step(self, parameter: Parameter, learning_rate: float) -> None:
        super().step(parameter, learning_rate)
        if self.steps == self._at + 1:
            self._then()


@pytest.mark.parametrize("planted", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("shards", [1, 2])
def test_numbers_that_are_not_finite_in_the_data_are_named_as_the_cause(planted: float, shards: int) -> None:
    x, labels = clouds(96, 1)
    train = Batches(x, labels, batch_size=32)
    x[70, 1] = planted  # afterwards, as `Batches` refuses it: what is left are memory maps and what `prepare` does
    found = message(small_network(), train=train, shards=shards)
    assert found.startswith("step 2: the loss is nan, and the input itself is not finite: 1 of the batch's 32 images")
    assert "the first at place 6" in found
    assert "learning_rate" not in found, "no rate is to blame"


def test_numbers_that_are_not_finite_in_validation_data_are_named_as_the_cause() -> None:
    x, labels = clouds(90, 2)
    validation = Batches(x, labels, batch_size=50)
    x[60, 0] = np.inf
    found = message(small_network(), validation=validation)
    assert found.startswith("after step 9: the validation loss is nan, and the input itself is not finite: 1 of")
    assert "the batch's 40 images, the first at place 10" in found


@pytest.mark.parametrize("shards", [1, 2])
def test_an_output_that_overflows_is_named_with_its_layer_and_step(shards: int) -> None:
    network = small_network()

    def enlarge() -> None:
        network.parameters["2.dense.W"].value[...] = 3e38

    found = message(network, optimizer=At(12, enlarge), shards=shards)
    assert found.startswith("step 13: the loss is ")
    assert "the output of layer 2 (dense) is the first that is not finite" in found
    assert "learning rate 0.1, the largest finite weight 3e+38 in 2.dense.W" in found


def test_the_layer_within_a_block_is_named() -> None:
    block = {"kind": "residual", "layers": [{"kind": "dense", "units": 4}, {"kind": "relu"}]}
    network = build((2,), [NESTED[0], block, NESTED[-1]], rng=np.random.default_rng(0))

    def enlarge() -> None:
        for name in ("0.dense.W", "1.residual.0.dense.W"):
            network.parameters[name].value[...] = 1e30

    assert "the output of layer 1.residual.0 (dense) is the first" in message(network, optimizer=At(3, enlarge))


def test_an_output_that_overflows_in_validation_only_is_named() -> None:
    network = build((2,), NESTED, rng=np.random.default_rng(0))

    def spoil() -> None:
        network.buffers["2.batch_norm.running_var"][...] = -1  # training does not look at it

    found = message(network, optimizer=At(9, spoil))
    assert found.startswith("after step 9: the validation loss is nan; the output of layer 2 (batch_norm) is the first")


def test_a_gradient_that_overflows_is_named_with_layer_and_step_when_clipping() -> None:
    class Overflows(loop.Shards):
        def gradients(self, x: Any, labels: Any) -> tuple[float, int]:
            found = super().gradients(x, labels)
            parameters = network.parameters
            for name in ("0.dense.W", "0.dense.b", "2.dense.W"):  # from layer 2 on its way back
                parameters[name].grad[0] = np.inf
            return found

    network = small_network()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Shards", Overflows)
        found = message(network, clip_norm=1.0)
    assert found.startswith("step 0: the gradient of W of layer 2 (dense) is not finite")


def test_an_update_that_overflows_is_noticed_at_the_next_loss() -> None:
    network = small_network()

    def overflow() -> None:
        for name in ("0.dense.W", "2.dense.W"):
            network.parameters[name].value[0] = np.nan

    found = message(network, optimizer=At(4, overflow))
    assert found.startswith("step 5: the loss is nan; after the update of step 4, W of layer 2 (dense) is not finite")


@pytest.mark.parametrize("rate", [1e6, 1e20, 1e38])
@pytest.mark.parametrize("optimizer", [SGD, Momentum])
@pytest.mark.parametrize("layers", [NESTED[:1] + NESTED[-1:], NESTED[:2] + NESTED[-1:]])
def test_an_exploding_rate_is_reported_with_a_layer_a_step_and_advice(
    rate: float, optimizer: type[SGD], layers: list[dict[str, Any]]
) -> None:
    network = build((2,), layers, rng=np.random.default_rng(0))
    found = message(network, learning_rate=rate, optimizer=optimizer(), epochs=30)
    assert re.search(r"step \d+.* layer \d(\.residual\.\d)? \(\w+\) is ", found)
    assert found.endswith("Try a smaller train.learning_rate")


def test_a_running_average_that_overflowed_is_noticed_though_no_loss_shows_it() -> None:
    network = build((2,), [{"kind": "batch_norm"}, *NESTED[-1:]], rng=np.random.default_rng(0))
    x, labels = clouds(96, 1)
    found = message(network, train=Batches(1e30 * x, labels, batch_size=32))
    assert found.startswith("after the update of step 2, running_var of layer 0 (batch_norm) is not finite")


def test_looking_for_the_culprit_leaves_the_network_as_it_was_found() -> None:
    network = build((2,), [{"kind": "dropout", "rate": 0.1}, *NESTED], rng=np.random.default_rng(0))
    network.parameters["1.dense.W"].value[...] = 3e38
    weights, drawn = network.vector.value.copy(), []

    class Noted(loop.Shards):
        def gradients(self, x: Any, labels: Any) -> tuple[float, int]:
            found = super().gradients(x, labels)
            drawn.append((network.random_state(), network.state()))
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Shards", Noted)
        message(network)
    np.testing.assert_array_equal(network.vector.value, weights)
    [(random_state, state)] = drawn
    assert network.random_state() == random_state
    for name, array in network.state().items():
        np.testing.assert_array_equal(array, state[name])
