"""The weights that PyTorch and ONNX are given, checked by computing in their layout."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.channels_first import channels_first
from core.nn.architectures import build
from tests.floats import assert_same_function

LAYERS = (
    {"kind": "conv2d", "channels": 3, "kernel": [2, 3]},
    {"kind": "flatten"},
    {"kind": "dense", "units": 4},
    {"kind": "dense", "units": 5},
)


def test_kernels_and_the_rows_behind_a_flatten_give_the_same_outputs_with_channels_first():
    rng = np.random.default_rng(0)
    network = build((5, 6, 2), LAYERS, rng=rng)
    x = rng.standard_normal((7, 5, 6, 2)).astype(np.float32)
    conv, flat, hidden, last = (arrays for _, arrays in channels_first(network))
    assert flat == {}
    patches = sliding_window_view(x.transpose(0, 3, 1, 2), (2, 3), axis=(2, 3))  # (N, C, OH, OW, kh, kw)
    y = np.einsum("nchwij,ocij->nohw", patches, conv["W"]) + conv["b"][:, None, None]
    y = y.reshape(7, -1) @ hidden["W"] + hidden["b"]
    assert_same_function(y @ last["W"] + last["b"], network.forward(x), terms=64, dtype=np.float32)


def test_the_network_itself_stays_as_it_is():
    network = build((5, 6, 2), LAYERS, rng=np.random.default_rng(0))
    before = network.state()
    for _, arrays in channels_first(network):
        for array in arrays.values():
            array += 1
    assert all(np.array_equal(before[name], array) for name, array in network.state().items())
