"""The learning-rate range test, on 600 real digits and on points in a plane."""

from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data import mnist
from core.data.batches import Batches
from core.data.normalize import Normalizer
from core.errors import ConfigError, DivergenceError
from core.nn.architectures import build
from core.nn.sequential import Sequential
from core.optim.optimizers import OPTIMIZERS, SGD, Optimizer
from core.train.finder import RangeTest, range_test
from core.train.loop import fit
from core.train.training import Training
from core.train.training_plan import TrainingPlan
from tests.core.train.clouds import clouds, small_network, train_batches, train_on_clouds, validation_batches
from tests.floats import assert_same_function, by_hand
from tests.threads import alive

PLAN = TrainingPlan(epochs=1, learning_rate=0.01, threads=1)


def range_test_of(
    network: Sequential, batches: Batches, optimizer: Optimizer | None = None, **options: Any
) -> RangeTest:
    return range_test(Training(network, optimizer or SGD()), batches, PLAN, **options)


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    whole = mnist.load(Path(__file__).parents[3] / "data" / "mnist")
    images = whole.train_images[:600]
    return Normalizer.fit(images).apply(images).reshape(600, 784), whole.train_labels[:600]


def digit_batches(seed: int = 0) -> Batches:
    return Batches(*digits(), batch_size=32, rng=np.random.default_rng(seed))


def digit_network() -> Sequential:
    layers = [{"kind": "dense", "units": 32}, {"kind": "relu"}, {"kind": "dense", "units": 10}]
    return build((784,), layers, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("sgd", 0.005, 0.3),
        ("momentum", 0.001, 0.1),
        ("nesterov", 0.001, 0.1),
        ("rmsprop", 1e-4, 0.01),
        ("adam", 3e-4, 0.03),
        ("adamw", 3e-4, 0.03),
    ],
)
def test_on_real_digits_a_usual_rate_is_suggested_for_each_optimizer(kind: str, low: float, high: float) -> None:
    found = range_test_of(digit_network(), digit_batches(), OPTIMIZERS[kind]())
    assert low < found.suggestion < high


def test_digits_are_learned_with_the_suggested_rate_and_not_with_a_hundredfold() -> None:
    suggestion = range_test_of(digit_network(), digit_batches()).suggestion

    def loss_after(rate: float) -> float:
        network, batches = digit_network(), digit_batches()
        *_, last = fit(Training(network, SGD()), batches, batches, replace(PLAN, epochs=3, learning_rate=rate))
        return last.train_loss

    assert loss_after(suggestion) < 0.8
    with suppress(DivergenceError):
        assert loss_after(100 * suggestion) > 1.5


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_network_and_optimizer_are_restored_bit_for_bit(kind: str) -> None:
    network, optimizer = small_network(), OPTIMIZERS[kind]()
    batches = train_batches()
    begun = Training(network, optimizer)
    list(fit(begun, batches, batches, PLAN))  # so that there is a state to keep
    weights, state = network.vector.value.copy(), optimizer.state()
    value = network.vector.value
    range_test(begun, batches, PLAN)
    assert network.vector.value is value
    np.testing.assert_array_equal(value, weights)
    assert optimizer.state().keys() == state.keys()
    for name, array in optimizer.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_rates_rise_by_the_same_ratio_from_the_first_to_the_last() -> None:
    found = range_test_of(small_network(), validation_batches(), first=1e-5, last=1e-3, steps=41)
    assert len(found.rates) == len(found.losses) == 41
    assert found.rates[0] == by_hand(1e-5)
    assert found.rates[-1] == by_hand(1e-3)
    assert all(b / a == by_hand(100 ** (1 / 40)) for a, b in pairwise(found.rates))


def test_the_first_loss_is_that_of_the_first_batch_itself() -> None:
    one_batch = Batches(*next(iter(validation_batches())), batch_size=50)
    [report] = train_on_clouds(small_network(), train=one_batch, epochs=1, learning_rate=0.0)
    found = range_test_of(small_network(), validation_batches()).losses[0]
    assert_same_function(found, report.train_loss, terms=50, dtype=np.float32)


@pytest.mark.parametrize("last", [1e6, 1e30])
def test_the_range_test_stops_where_the_loss_diverges(last: float) -> None:
    found = range_test_of(digit_network(), digit_batches(), last=last)
    assert len(found.rates) < 200
    assert found.rates[-1] < last
    assert all(np.isfinite(found.losses))
    assert min(found.losses) < found.losses[-1] <= 4 * min(found.losses)


def test_the_same_seed_finds_the_same_rate() -> None:
    first, second = (range_test_of(small_network(), train_batches(5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("first", "last", "steps"),
    [(0.0, 1.0, 100), (-1.0, 1.0, 100), (1.0, 1.0, 100), (2.0, 1.0, 100), (1e-6, float("inf"), 100), (1e-6, 1.0, 1)],
)
def test_an_impossible_range_is_refused(first: float, last: float, steps: int) -> None:
    with pytest.raises(ConfigError, match="range test: .* expected at least 2, from above 0 upwards"):
        range_test_of(small_network(), validation_batches(), first=first, last=last, steps=steps)


def test_a_network_that_is_broken_from_the_start_is_an_error_and_unchanged() -> None:
    network = small_network()
    network.vector.value[:] = np.nan
    with pytest.raises(DivergenceError, match="range test: the loss is nan before the first step"):
        range_test_of(network, validation_batches())
    assert np.isnan(network.vector.value).all()


def test_no_thread_that_prepares_batches_outlives_the_test_nor_an_error_in_it() -> None:
    x, labels = clouds(300, 1)
    range_test_of(small_network(), Batches(x, labels, batch_size=32, workers=2), steps=5)
    assert alive("ahead") == 0
    with pytest.raises(ConfigError) as caught:
        range_test_of(small_network(), Batches(x, labels + 9, batch_size=32, workers=2))
    assert alive("ahead") == 0, caught  # which keeps the frames that it went through
