"""Shards: a batch in parts gives what the whole batch gives."""

import numpy as np
import pytest

from core.errors import ConfigError
from core.kernels.arrays import Array
from core.nn.architectures import build
from core.nn.losses import OpenSetCrossEntropy, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.train.shards import Shards
from tests.floats import assert_same_function
from tests.threads import alive

MLP = [{"kind": "dense", "units": 6}, {"kind": "tanh"}, {"kind": "dense", "units": 3}]
CNN = [
    {"kind": "conv2d", "channels": 4, "kernel": 3, "padding": "same"},
    {"kind": "batch_norm"},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "flatten"},
    {"kind": "dropout", "rate": 0.5},
    {"kind": "dense", "units": 3},
]


def network(layers: list[dict[str, object]], shape: tuple[int, ...]) -> Sequential:
    return build(shape, layers, rng=np.random.default_rng(1), dtype=np.float64)


def batch(count: int, shape: tuple[int, ...]) -> tuple[Array, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.standard_normal((count, *shape)), rng.integers(0, 3, count)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_gradients_of_the_shards_add_up_to_that_of_the_whole_batch(count: int) -> None:
    whole, apart = network(MLP, (5,)), network(MLP, (5,))
    x, labels = batch(11, (5,))  # does not divide evenly
    loss = SoftmaxCrossEntropy()
    logits = whole.forward(x, training=True)
    right = int((logits.argmax(axis=1) == labels).sum())
    mean = loss.forward(logits, labels)
    whole.backward(loss.backward())
    with Shards(apart, SoftmaxCrossEntropy, count) as parts:
        found = parts.gradients(x, labels)
    assert found[1] == right
    assert_same_function(found[0], mean, terms=32)
    assert_same_function(apart.vector.grad, whole.vector.grad, terms=32)


def test_a_batch_smaller_than_the_number_of_shards_is_computed() -> None:
    x, labels = batch(2, (5,))
    alone, many = network(MLP, (5,)), network(MLP, (5,))
    with Shards(alone, SoftmaxCrossEntropy, 1) as one, Shards(many, SoftmaxCrossEntropy, 4) as four:
        one.gradients(x, labels)
        four.gradients(x, labels)
    assert_same_function(many.vector.grad, alone.vector.grad, terms=32)


def test_all_shards_train_the_same_weights() -> None:
    trained = network(MLP, (5,))
    x, labels = batch(12, (5,))
    losses = []
    with Shards(trained, SoftmaxCrossEntropy, 3) as parts:
        for _ in range(30):
            losses.append(parts.gradients(x, labels)[0])
            trained.vector.value -= trained.vector.grad
    assert losses[-1] < 0.3 * losses[0]


def test_running_averages_of_batch_norm_are_the_mean_of_the_shards() -> None:
    layers = [{"kind": "batch_norm", "momentum": 0.0}, {"kind": "dense", "units": 3}]
    trained = network(layers, (5,))
    x, labels = batch(10, (5,))
    with Shards(trained, SoftmaxCrossEntropy, 2) as parts:
        parts.gradients(x, labels)
    counted = trained.buffers
    assert_same_function(counted["0.batch_norm.running_mean"], x.mean(axis=0), terms=10, scale=float(np.abs(x).max()))
    variance = (x[:5].var(axis=0, ddof=1) + x[5:].var(axis=0, ddof=1)) / 2
    assert_same_function(counted["0.batch_norm.running_var"], variance, terms=10)


def test_gradients_are_bit_identical_with_the_same_seed_and_differ_with_another() -> None:
    x, labels = batch(12, (8, 8, 1))

    def gradients(seed: int) -> Array:
        trained = build((8, 8, 1), CNN, rng=np.random.default_rng(seed), dtype=np.float64)
        trained.load_state(network(CNN, (8, 8, 1)).state())
        with Shards(trained, SoftmaxCrossEntropy, 2) as parts:
            parts.gradients(x, labels)
            parts.gradients(x, labels)
        return trained.vector.grad

    np.testing.assert_array_equal(gradients(1), gradients(1))
    assert not np.array_equal(gradients(1), gradients(2))


def test_the_shards_draw_different_masks() -> None:
    layers = [{"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 3, "init": "zeros"}]
    trained = network(layers, (40,))
    x, labels = np.ones((2, 40)), np.array([1, 1])
    with Shards(trained, SoftmaxCrossEntropy, 2) as parts:
        parts.gradients(x, labels)
        first, second = (part.layers[0].m for part in parts._networks)
    assert not np.array_equal(first, second)


def test_random_numbers_can_be_resumed_from_the_networks_own_state() -> None:
    x, labels = batch(12, (8, 8, 1))
    trained = network(CNN, (8, 8, 1))
    with Shards(trained, SoftmaxCrossEntropy, 2) as parts:
        parts.gradients(x, labels)
        state, drawn = trained.state(), trained.random_state()
        parts.gradients(x, labels)
    resumed = network(CNN, (8, 8, 1))
    resumed.load_state(state)
    resumed.load_random_state(drawn)
    with Shards(resumed, SoftmaxCrossEntropy, 2) as parts:
        parts.gradients(x, labels)
    np.testing.assert_array_equal(resumed.vector.grad, trained.vector.grad)


def test_an_error_in_any_shard_reaches_the_caller() -> None:
    x, labels = batch(6, (5,))
    labels[-1] = 7  # no such class, in the last part
    with Shards(network(MLP, (5,)), SoftmaxCrossEntropy, 3) as parts, pytest.raises(ConfigError, match="label 7"):
        parts.gradients(x, labels)


def test_an_image_of_no_class_counts_as_right_where_none_is_the_most_probable() -> None:
    x, labels = batch(6, (5,))
    trained = network(MLP, (5,))
    logits = trained.forward(x, training=True)
    labels[::2] = logits.shape[1]
    expected = (np.where(logits.max(axis=1) > 0, logits.argmax(axis=1), logits.shape[1]) == labels).sum()
    for count in (1, 3):
        with Shards(network(MLP, (5,)), OpenSetCrossEntropy, count) as parts:
            assert parts.gradients(x, labels)[1] == expected


def test_no_thread_outlives_the_block() -> None:
    x, labels = batch(6, (5,))
    with Shards(network(MLP, (5,)), SoftmaxCrossEntropy, 3) as parts:
        parts.gradients(x, labels)
        assert alive("shard") > 0
    assert alive("shard") == 0


def test_less_than_one_shard_is_refused() -> None:
    with pytest.raises(ConfigError, match="0 shards, expected at least 1"):
        Shards(network(MLP, (5,)), SoftmaxCrossEntropy, 0)
