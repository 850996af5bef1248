import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ArchitectureError
from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD
from tests.floats import assert_same_function

LAYERS = [{"kind": "dense", "units": 16}, {"kind": "relu"}, {"kind": "dense", "units": 10}]


def network_of(seed: int = 0, *, inputs: int = 20, dtype: Any = np.float32) -> Sequential:
    return build((inputs,), LAYERS, rng=np.random.default_rng(seed), dtype=dtype)


def pictures(count: int, *, inputs: int = 20, seed: int = 5, dtype: Any = np.float32) -> NDArray[Any]:
    return np.random.default_rng(seed).standard_normal((count, inputs)).astype(dtype)


# parameters and the vector that holds them


def test_parameters_are_named_by_position_kind_and_name() -> None:
    names = list(network_of().parameters)
    assert names == ["0.dense.W", "0.dense.b", "2.dense.W", "2.dense.b"]


def test_one_vector_holds_every_parameter_and_gradient() -> None:
    network = network_of()
    assert network.vector.value.size == 20 * 16 + 16 + 16 * 10 + 10
    network.vector.value[...] = np.arange(network.vector.value.size)
    network.vector.grad[...] = -network.vector.value
    stretches = [p.value.ravel() for p in network.parameters.values()]
    np.testing.assert_array_equal(np.concatenate(stretches), network.vector.value)
    for parameter in network.parameters.values():
        np.testing.assert_array_equal(parameter.grad, -parameter.value)


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(ArchitectureError, match="at least one layer"):
        Sequential([])


# forward and backward


def test_a_shorter_last_batch_is_computed_as_if_it_were_alone() -> None:
    x, labels = pictures(7), np.arange(7)
    used, fresh = network_of(), network_of()
    used.forward(pictures(32, seed=6), training=True)
    used.backward(np.ones((32, 10), np.float32), need_dx=True)

    gradients = []
    for network in (used, fresh):
        loss = SoftmaxCrossEntropy()
        value = loss.forward(network.forward(x, training=True), labels)
        dx = network.backward(loss.backward(), need_dx=True)
        assert dx is not None
        gradients.append((value, dx.copy(), network.vector.grad.copy()))
    for found, expected in zip(*gradients, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_gradient_of_a_batch_is_the_mean_of_its_images_gradients() -> None:
    x, labels = pictures(5, dtype=np.float64), np.array([3, 1, 4, 1, 5])

    def gradient(rows: slice) -> NDArray[Any]:
        network, loss = network_of(dtype=np.float64), SoftmaxCrossEntropy()
        loss.forward(network.forward(x[rows], training=True), labels[rows])
        network.backward(loss.backward())
        return network.vector.grad

    alone = [gradient(slice(n, n + 1)) for n in range(5)]
    assert_same_function(gradient(slice(None)), np.mean(alone, axis=0), terms=100, scale=1.0)


def test_without_need_dx_the_first_layer_gives_the_same_parameter_gradients() -> None:
    dy = np.random.default_rng(1).standard_normal((8, 10)).astype(np.float32)
    network = network_of()
    network.forward(pictures(8), training=True)
    assert network.backward(dy, need_dx=False) is None
    without = network.vector.grad.copy()
    network.vector.grad[...] = 0
    dx = network.backward(dy, need_dx=True)
    assert dx is not None
    assert dx.shape == (8, 20)
    np.testing.assert_array_equal(network.vector.grad, without)


def test_each_backward_pass_overwrites_the_gradients_of_the_one_before() -> None:
    network = network_of()
    dy = np.ones((8, 10), np.float32)
    network.forward(pictures(8), training=True)
    network.backward(dy)
    once = network.vector.grad.copy()
    network.backward(dy)
    np.testing.assert_array_equal(network.vector.grad, once)


def test_the_input_is_left_alone() -> None:
    x = pictures(8)
    kept = x.copy()
    network = network_of()
    network.forward(x, training=True)
    network.backward(np.ones((8, 10), np.float32), need_dx=True)
    np.testing.assert_array_equal(x, kept)


def test_a_training_step_allocates_next_to_nothing() -> None:
    network, optimizer, loss = network_of(inputs=784), SGD(), SoftmaxCrossEntropy()
    x, labels = pictures(2048, inputs=784), np.arange(2048) % 10

    def step() -> None:
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.vector, 0.1)

    step()  # makes the scratch arrays
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # What is left are a few numbers an image, in the loss: less than one fresh array of logits would take.
    assert peak < x.itemsize * len(x) * 10


# state


def test_loading_the_state_of_a_network_makes_another_equal() -> None:
    source, target = network_of(0), network_of(1)
    x = pictures(8)
    assert not np.array_equal(source.forward(x), target.forward(x))
    target.load_state(source.state())
    np.testing.assert_array_equal(source.forward(x), target.forward(x))
    np.testing.assert_array_equal(source.vector.value, target.vector.value)


def test_a_state_is_a_copy() -> None:
    network = network_of()
    state = network.state()
    before = state["0.dense.W"].copy()
    network.vector.value += 1
    np.testing.assert_array_equal(state["0.dense.W"], before)
    network.load_state(state)
    state["0.dense.W"] += 1
    np.testing.assert_array_equal(network.state()["0.dense.W"], before)


def changed(change: str) -> dict[str, NDArray[Any]]:
    state = network_of(1).state()
    match change:
        case "missing":
            del state["2.dense.b"]
        case "surplus":
            state["3.dense.W"] = np.zeros(1, np.float32)
        case "shape":
            state["2.dense.W"] = state["2.dense.W"].T
        case "dtype":
            state["2.dense.W"] = state["2.dense.W"].astype(np.float64)
        case "byte order":
            state["2.dense.W"] = state["2.dense.W"].astype(">f4")
        case "empty":
            state = {}
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"weights lack 2\.dense\.b; found: 0\.dense\.W"),
        ("empty", r"weights lack 0\.dense\.W, 0\.dense\.b, .*; found: none"),
        ("surplus", r"weights hold 3\.dense\.W"),
        ("shape", r"2\.dense\.W: found float32 \(10, 16\), this network has float32 \(16, 10\)"),
        ("dtype", r"2\.dense\.W: found float64 .*, this network has float32"),
        ("byte order", r"2\.dense\.W: found >f4"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change: str, message: str) -> None:
    network = network_of()
    before = network.vector.value.copy()
    with pytest.raises(ArchitectureError, match=message):
        network.load_state(changed(change))
    np.testing.assert_array_equal(network.vector.value, before)


# replicas


def test_a_replica_shares_parameters_and_nothing_else() -> None:
    network = network_of()
    replica = network.replica()
    x = pictures(4)
    y = network.forward(x)
    kept = y.copy()
    replica.forward(pictures(4, seed=9))
    np.testing.assert_array_equal(y, kept)
    network.vector.value *= 2
    np.testing.assert_array_equal(network.forward(x), replica.forward(x))


def test_replicas_in_many_threads_compute_exactly_what_one_thread_computes() -> None:
    network = network_of(inputs=784)
    batches = [pictures(count, inputs=784, seed=count) for count in (1, 3, 32, 100, 7, 64, 2, 50)]
    expected = [network.forward(x).copy() for x in batches]

    def work(first: int) -> bool:
        replica = network.replica()
        order = [(first + k) % len(batches) for k in range(10 * len(batches))]
        return all(np.array_equal(replica.forward(batches[k]), expected[k]) for k in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
