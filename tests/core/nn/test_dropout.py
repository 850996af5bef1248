import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.nn.architectures import build
from core.nn.dropout import Dropout
from core.nn.sequential import Sequential
from tests.floats import assert_same_function, close

LAYERS = [
    {"kind": "dense", "units": 6},
    {"kind": "dropout", "rate": 0.5},
    {"kind": "residual", "layers": [{"kind": "dropout", "rate": 0.3}]},
]


def network_of(seed: int = 0, layers: Any = LAYERS) -> Sequential:
    return build((4,), layers, rng=np.random.default_rng(seed))


def dropout(rate: float, seed: int = 0, dtype: Any = np.float64) -> Dropout:
    return Dropout((50,), rate=rate, rng=np.random.default_rng(seed), dtype=dtype)


def ones(images: int, dtype: Any = np.float64) -> NDArray[Any]:
    return np.ones((images, 50), dtype)


@settings(deadline=None, max_examples=30)
@given(rate=st.floats(0, 0.95), seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_number_is_dropped_or_scaled_up_so_that_the_mean_is_kept(dtype: Any, rate: float, seed: int) -> None:
    y = dropout(rate, seed, dtype).forward(ones(400, dtype), training=True)
    kept = y != 0
    assert_same_function(y[kept], 1 / (1 - rate), terms=2)
    # 20,000 draws: the number kept has the standard deviation √(20000 p (1 − p)); six of them are never seen. Where
    # less than one is expected to be dropped, three may be.
    assert abs(kept.sum() - kept.size * (1 - rate)) <= 6 * np.sqrt(kept.size * rate * (1 - rate)) + 3


def test_the_mean_of_a_large_sample_is_kept() -> None:
    x = 3 + np.random.default_rng(1).standard_normal((4000, 50))
    assert dropout(0.5).forward(x, training=True).mean() == close(x.mean(), rel=0.01, why="a sample of 200,000")


def test_the_gradient_goes_through_the_same_mask() -> None:
    layer = dropout(0.5)
    y = layer.forward(ones(8), training=True).copy()
    layer.forward(ones(20))  # use in between changes nothing
    np.testing.assert_array_equal(layer.backward(ones(8)), y)


def test_every_step_draws_a_new_mask() -> None:
    layer = dropout(0.5)
    first = layer.forward(ones(8), training=True).copy()
    assert not np.array_equal(first, layer.forward(ones(8), training=True))


def test_dropout_in_use_is_the_identity_and_draws_nothing() -> None:
    layer = dropout(0.9)
    before = layer.rng.bit_generator.state
    x = ones(8)
    assert layer.forward(x) is x
    assert layer.replica().forward(x) is x
    assert layer.rng.bit_generator.state == before


def test_with_rate_zero_nothing_is_dropped() -> None:
    np.testing.assert_array_equal(dropout(0).forward(ones(8), training=True), ones(8))


def test_one_seed_gives_one_sequence_of_masks() -> None:
    first, second, other = (dropout(0.5, seed) for seed in (0, 0, 1))
    for images in (8, 3, 8):
        y = first.forward(ones(images), training=True)
        np.testing.assert_array_equal(y, second.forward(ones(images), training=True))
        assert not np.array_equal(y, other.forward(ones(images), training=True))


def test_layers_of_one_network_draw_independently() -> None:
    layers = [{"kind": "dropout", "rate": 0.5}, {"kind": "dropout", "rate": 0.5}]
    network = build((1000,), layers, rng=np.random.default_rng(0))
    x = np.ones((1, 1000), np.float32)
    first, second = (layer.forward(x, training=True) != 0 for layer in network.layers)
    assert 0.4 < (first == second).mean() < 0.6


def test_initial_weights_do_not_depend_on_dropout_layers() -> None:
    plain = [layer for layer in LAYERS if layer["kind"] == "dense"]
    np.testing.assert_array_equal(network_of().vector.value, network_of(layers=plain).vector.value)


# resuming


def test_a_restored_random_state_gives_the_masks_that_would_have_come_next() -> None:
    x = np.ones((8, 4), np.float32)
    original = network_of()
    for _ in range(3):
        original.forward(x, training=True)
    saved, weights = json.dumps(original.random_state()), original.state()
    resumed = network_of(seed=9)
    resumed.load_state(weights)
    resumed.load_random_state(json.loads(saved))
    for _ in range(3):
        np.testing.assert_array_equal(resumed.forward(x, training=True), original.forward(x, training=True))


def test_generators_have_full_names_like_parameters() -> None:
    assert list(network_of().random_state()) == ["1.dropout.rng", "2.residual.0.dropout.rng"]
    assert network_of(layers=[{"kind": "relu"}]).random_state() == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: {}, r"random state of none, expected of 1\.dropout\.rng, 2\.residual"),
        (lambda state: state | {"0.dense.rng": 1}, r"random state of 0\.dense\.rng, .*, expected of 1\."),
        (lambda state: state | {"1.dropout.rng": 7}, r"1\.dropout\.rng: not the state of a PCG64 generator"),
        (lambda state: state | {"1.dropout.rng": {"bit_generator": "MT19937"}}, r"1\.dropout\.rng: not the state"),
        (lambda state: state | {"1.dropout.rng": {"bit_generator": "PCG64"}}, r"1\.dropout\.rng: not the state"),
    ],
)
def test_a_random_state_that_does_not_fit_is_refused(change: Any, message: str) -> None:
    network = network_of()
    with pytest.raises(ArchitectureError, match=message):
        network.load_random_state(change(network.random_state()))
