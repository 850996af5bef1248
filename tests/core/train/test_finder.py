"""The learning-rate range test, on 600 real digits and on points in a plane."""

import threading
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.data import mnist
from core.data.batches import Batches
from core.data.normalize import Normalizer
from core.errors import ConfigError, DivergenceError
from core.nn.architectures import build
from core.nn.sequential import Sequential
from core.optim.optimizers import OPTIMIZERS, SGD
from core.optim.schedules import Constant
from core.train.finder import range_test
from core.train.loop import fit
from tests.core.train.clouds import clouds, small_network, train_batches, validation_batches
from tests.floats import assert_same_function, by_hand


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
def test_on_real_digits_it_suggests_for_each_optimizer_a_rate_as_people_use_it(
    kind: str, low: float, high: float
) -> None:
    found = range_test(digit_network(), OPTIMIZERS[kind](), digit_batches(), threads=1)
    assert low < found.suggestion < high


def test_with_the_suggested_rate_digits_are_learned_and_with_a_hundred_times_that_they_are_not() -> None:
    suggestion = range_test(digit_network(), SGD(), digit_batches(), threads=1).suggestion

    def loss_after(rate: float) -> float:
        network, batches = digit_network(), digit_batches()
        *_, last = fit(network, SGD(), batches, batches, epochs=3, learning_rate=rate, schedule=Constant(), threads=1)
        return last.train_loss

    assert loss_after(suggestion) < 0.8
    with suppress(DivergenceError):
        assert loss_after(100 * suggestion) > 1.5


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_network_and_optimizer_are_afterwards_what_they_were_bit_for_bit(kind: str) -> None:
    network, optimizer = small_network(), OPTIMIZERS[kind]()
    batches = train_batches()
    list(
        fit(network, optimizer, batches, batches, epochs=1, learning_rate=0.01, schedule=Constant())
    )  # so that there is a state to keep
    weights, state = network.vector.value.copy(), optimizer.state()
    value = network.vector.value
    range_test(network, optimizer, batches, threads=1)
    assert network.vector.value is value
    np.testing.assert_array_equal(value, weights)
    assert optimizer.state().keys() == state.keys()
    for name, array in optimizer.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_rates_rise_by_the_same_ratio_from_the_first_to_the_last() -> None:
    found = range_test(small_network(), SGD(), validation_batches(), first=1e-5, last=1e-3, steps=41)
    assert len(found.rates) == len(found.losses) == 41
    assert found.rates[0] == by_hand(1e-5)
    assert found.rates[-1] == by_hand(1e-3)
    assert all(b / a == by_hand(100 ** (1 / 40)) for a, b in pairwise(found.rates))


def test_the_first_loss_is_that_of_the_first_batch_itself() -> None:
    [first, *_] = fit(
        small_network(),
        SGD(),
        Batches(*next(iter(validation_batches())), batch_size=50),
        validation_batches(),
        epochs=1,
        learning_rate=0.0,
        schedule=Constant(),
    )
    found = range_test(small_network(), SGD(), validation_batches()).losses[0]
    assert_same_function(found, first.train_loss, terms=50, dtype=np.float32)


@pytest.mark.parametrize("last", [1e6, 1e30])
def test_it_stops_where_the_loss_diverges(last: float) -> None:
    found = range_test(digit_network(), SGD(), digit_batches(), last=last, threads=1)
    assert len(found.rates) < 200
    assert found.rates[-1] < last
    assert all(np.isfinite(found.losses))
    assert min(found.losses) < found.losses[-1] <= 4 * min(found.losses)


def test_one_seed_finds_the_same() -> None:
    first, second = (range_test(small_network(), SGD(), train_batches(5), threads=1) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("first", "last", "steps"),
    [(0.0, 1.0, 100), (-1.0, 1.0, 100), (1.0, 1.0, 100), (2.0, 1.0, 100), (1e-6, float("inf"), 100), (1e-6, 1.0, 1)],
)
def test_an_impossible_range_is_refused(first: float, last: float, steps: int) -> None:
    with pytest.raises(ConfigError, match="range test: .* expected at least 2, from above 0 upwards"):
        range_test(small_network(), SGD(), validation_batches(), first=first, last=last, steps=steps)


def test_a_network_that_is_broken_from_the_start_is_named_as_such_and_stays_as_it_is() -> None:
    network = small_network()
    network.vector.value[:] = np.nan
    with pytest.raises(DivergenceError, match="range test: the loss is nan before the first step"):
        range_test(network, SGD(), validation_batches())
    assert np.isnan(network.vector.value).all()


def test_no_thread_that_prepares_batches_outlives_the_test_nor_an_error_in_it() -> None:
    before = threading.active_count()
    x, labels = clouds(300, 1)
    range_test(small_network(), SGD(), Batches(x, labels, batch_size=32, workers=2), steps=5)
    assert threading.active_count() == before
    with pytest.raises(IndexError) as caught:
        range_test(small_network(), SGD(), Batches(x, labels + 9, batch_size=32, workers=2))
    assert threading.active_count() == before, caught  # which keeps the frames that it went through
