"""A compiled network computes the same as its forward pass, for every layer and every batch size."""

import numpy as np
import pytest

from core.inference.compiled import Compiled
from core.nn.architectures import build
from core.nn.sequential import Sequential
from tests.core.nn.test_every_layer import every_layer, inputs, network_of
from tests.marks import NO_WARNING

ARCHITECTURE = (
    {"kind": "conv2d", "channels": 3, "kernel": 3, "padding": "same"},
    {"kind": "batch_norm"},
    {"kind": "relu"},
    {"kind": "maxpool2d", "kernel": 3, "stride": 2, "padding": "same"},
    {"kind": "dropout", "rate": 0.3},
    {"kind": "conv2d", "channels": 4, "kernel": 2, "stride": 2},
    {"kind": "gelu"},
    {"kind": "flatten"},
    {"kind": "dense", "units": 5},
)


def a_trained_network() -> Sequential:
    """Its batch norm has seen images, so that its running statistics are no longer 0 and 1."""
    rng = np.random.default_rng(1)
    network = build((12, 12, 2), ARCHITECTURE, rng=rng)
    network.forward(rng.standard_normal((9, 12, 12, 2)).astype(np.float32) * 3 + 1, training=True)
    return network


@every_layer
@pytest.mark.parametrize("images", [6, 1])
def test_every_layer_gives_the_same_numbers_as_its_forward_pass(name, images):
    network = network_of(name)
    x = inputs(name, images)
    expected = network.forward(x).copy()
    np.testing.assert_array_equal(Compiled(network_of(name), x).forward(), expected)


@pytest.mark.parametrize("images", [1, 2, 7])
def test_a_whole_network_gives_the_same_numbers_batch_after_batch(images):
    rng = np.random.default_rng(2)
    network = a_trained_network()
    compiled = Compiled(network.replica(), np.empty((images, 12, 12, 2), np.float32))
    for _ in range(3):
        compiled.x[...] = rng.standard_normal(compiled.x.shape)
        np.testing.assert_array_equal(compiled.forward(), network.forward(compiled.x))


def test_several_sizes_of_one_network_do_not_disturb_each_other():
    rng = np.random.default_rng(3)
    network = a_trained_network()
    x = np.empty((8, 12, 12, 2), np.float32)
    shared = network.replica()
    passes = [Compiled(shared, x[:count]) for count in (8, 1, 3)]
    for compiled in (*passes, *reversed(passes)):
        compiled.x[...] = rng.standard_normal(compiled.x.shape)
        np.testing.assert_array_equal(compiled.forward(), network.forward(compiled.x))


def test_a_batch_of_several_chunks_gives_the_same_numbers(monkeypatch):
    monkeypatch.setattr("core.kernels.convolution._CHUNK_BYTES", 1 << 14)
    network = a_trained_network()
    x = np.random.default_rng(4).standard_normal((11, 12, 12, 2)).astype(np.float32)
    np.testing.assert_array_equal(Compiled(network.replica(), x).forward(), network.forward(x))


@NO_WARNING
def test_every_step_is_a_numpy_call_with_all_of_its_arguments():
    network = build((784,), ({"kind": "dense", "units": 16}, {"kind": "relu"}), rng=np.random.default_rng(5))
    compiled = Compiled(network, np.ones((2, 784), np.float32))
    assert [step.func for step in compiled.steps] == [np.matmul, np.add, np.maximum]
