"""What holds for every layer, whatever it computes: each test takes all cases of `test_gradients`."""

import tracemalloc
from math import prod
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.nn.architectures import build
from core.nn.sequential import Sequential
from tests.core.nn.test_gradients import CASES
from tests.floats import assert_same_function

every_layer = pytest.mark.parametrize("name", CASES)


def network_of(name: str, *, dtype: Any = np.float32, seed: int = 0) -> Sequential:
    shape, layers = CASES[name]
    return build(shape, layers, rng=np.random.default_rng(seed), dtype=dtype)


def inputs(name: str, images: int = 6, *, dtype: Any = np.float32) -> NDArray[Any]:
    return np.random.default_rng(3).standard_normal((images, *CASES[name][0])).astype(dtype)


def gradients_for(network: Sequential, images: int = 6) -> NDArray[Any]:
    return np.random.default_rng(4).standard_normal((images, *network.output_shape)).astype(network.dtype)


@every_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_and_gradients_have_the_documented_shape_and_dtype(name: str, dtype: Any) -> None:
    network = network_of(name, dtype=dtype)
    x = inputs(name, dtype=dtype)
    for training in (False, True):
        y = network.forward(x, training=training)
        assert (y.shape, y.dtype) == ((6, *network.output_shape), dtype)
    dx = network.backward(gradients_for(network), need_dx=True)
    assert dx is not None
    assert (dx.shape, dx.dtype) == (x.shape, dtype)
    assert {array.dtype for array in network.state().values()} <= {np.dtype(dtype)}


@every_layer
def test_float32_computes_what_float64_computes(name: str) -> None:
    found = []
    for dtype in (np.float32, np.float64):
        network = network_of(name, dtype=dtype)
        network.load_state({key: array.astype(dtype) for key, array in network_of(name, seed=1).state().items()})
        y = network.forward(inputs(name, dtype=dtype)).copy()
        found.append((y, network.vector.grad.copy()))
    for single, double in zip(*found, strict=True):
        assert_same_function(single, double, terms=256)


@every_layer
def test_inputs_and_gradients_passed_in_are_left_unchanged(name: str) -> None:
    network = network_of(name)
    x, dy = inputs(name), gradients_for(network)
    kept = x.copy(), dy.copy()
    network.forward(x, training=True)
    network.backward(dy, need_dx=True)
    network.forward(x)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@every_layer
def test_a_second_backward_pass_gives_the_same_again(name: str) -> None:
    network = network_of(name)
    network.forward(inputs(name), training=True)
    dy, found = gradients_for(network), []
    for _ in range(2):
        dx = network.backward(dy, need_dx=True)
        assert dx is not None
        found.append((dx.copy(), network.vector.grad.copy()))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@every_layer
def test_without_need_dx_there_is_none_and_parameter_gradients_are_the_same(name: str) -> None:
    network = network_of(name)
    network.forward(inputs(name), training=True)
    dy = gradients_for(network)
    network.backward(dy, need_dx=True)
    kept = network.vector.grad.copy()
    network.vector.grad[...] = np.nan
    assert network.backward(dy, need_dx=False) is None
    # Up to rounding: a convolution may take another layout then, which adds the same numbers in another order.
    assert_same_function(network.vector.grad, kept, terms=256, scale=1 + np.abs(kept).max(initial=0))


@every_layer
def test_a_shorter_batch_gives_the_same_as_in_a_fresh_network(name: str) -> None:
    used, fresh = network_of(name), network_of(name)
    used.forward(inputs(name, 9), training=True)
    used.backward(gradients_for(used, 9), need_dx=True)
    used.load_state(fresh.state())
    used.load_random_state(fresh.random_state())
    x, dy = inputs(name, 4), gradients_for(fresh, 4)
    for network in (used, fresh):
        network.forward(x, training=True)
        network.backward(dy)
    np.testing.assert_array_equal(used.vector.grad, fresh.vector.grad)
    np.testing.assert_array_equal(used.forward(x), fresh.forward(x))


@every_layer
def test_a_replica_computes_the_same_and_disturbs_nothing(name: str) -> None:
    network, x = network_of(name), inputs(name)
    network.forward(x, training=True)
    replica = network.replica()
    y = network.forward(x)
    kept = y.copy()
    assert not np.array_equal(replica.forward(2 * x + 1), kept)
    np.testing.assert_array_equal(y, kept)
    np.testing.assert_array_equal(replica.forward(x), kept)


@every_layer
def test_the_state_after_training_makes_another_network_equal(name: str) -> None:
    source, target, x = network_of(name), network_of(name, seed=1), inputs(name)
    source.forward(x, training=True)
    source.vector.value[...] += 0.1
    target.load_state(source.state())
    np.testing.assert_array_equal(source.forward(x), target.forward(x))


@every_layer
def test_a_step_allocates_next_to_nothing(name: str) -> None:
    network = network_of(name)
    images = 2**19 // prod(network.input_shape)
    x, dy = inputs(name, images), gradients_for(network, images)

    def step() -> None:
        network.forward(x, training=True)
        network.backward(dy)
        network.forward(x)

    step()  # makes the scratch arrays
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # What is left are a few numbers for each feature, for each row of each softmax, and NumPy's own small buffers.
    rows = sum(
        images * prod(layer.output_shape[:-1]) * len(getattr(layer, "members", [layer]))
        for layer in network.layers
        if layer.kind in ("softmax", "ensemble")
    )
    assert peak < x.nbytes / 10 + 3 * x.itemsize * rows
