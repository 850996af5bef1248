"""Layers computed in another order: outputs and gradients are those of the order in which they are written."""

from typing import Any

import numpy as np
import pytest

from core.nn.architectures import build
from core.nn.sequential import Sequential

CONV: dict[str, Any] = {"kind": "conv2d", "channels": 8, "kernel": 3}
RELU, POOL = {"kind": "relu"}, {"kind": "maxpool2d"}
FLAT = [{"kind": "flatten"}, {"kind": "dense", "units": 3}]

NETWORKS: dict[str, list[dict[str, Any]]] = {
    "side by side": [CONV, RELU, POOL, CONV, RELU, POOL, *FLAT],
    "overlapping, padded": [CONV, RELU, {**POOL, "kernel": 3, "stride": 2, "padding": "same"}, *FLAT],
    "after a batch norm": [CONV, {"kind": "batch_norm"}, RELU, POOL, *FLAT],
    "in a block": [{"kind": "residual", "layers": [CONV, RELU, POOL], "shortcut": [CONV, RELU, POOL]}, *FLAT],
    "first of all": [RELU, POOL, *FLAT],
    "in the members of an ensemble": [{"kind": "ensemble", "members": [[CONV, RELU, POOL, *FLAT]] * 2}],
}


def in_both_orders(layers: list[dict[str, Any]]) -> tuple[Sequential, Sequential]:
    network, written = (build((14, 14, 2), layers, rng=np.random.default_rng(0)) for _ in range(2))
    written.as_written()
    return network, written


def pictures_with_ties(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-2, 2, (5, 14, 14, 2)).astype(np.float32)


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_a_relu_computed_after_its_pooling_changes_no_bit(layers: list[dict[str, Any]]) -> None:
    network, written = in_both_orders(layers)
    x = pictures_with_ties(1)
    dy = np.random.default_rng(2).standard_normal((5, 3)).astype(np.float32)
    results = []
    for each in (network, written):
        y = each.forward(x, training=True).copy()
        dx = each.backward(dy, need_dx=True)
        results.append((y, dx, each.vector.grad, each.forward(x).copy()))
    for found, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_layers_keep_their_places_and_names() -> None:
    network, _ = in_both_orders(NETWORKS["side by side"])
    assert [layer.kind for layer in network.layers[:3]] == ["conv2d", "relu", "maxpool2d"]
    assert [layer.kind for layer in network.order[:3]] == ["conv2d", "maxpool2d", "relu"]
    for each in in_both_orders(NETWORKS["side by side"]):  # as it is computed by itself, and as it is written
        assert [layer.kind for layer in each.replica().order] == [layer.kind for layer in each.order]
    names = [name for name, _ in network.named_layers()]
    assert names[:4] == ["0.conv2d", "1.relu", "2.maxpool2d", "3.conv2d"]


@pytest.mark.parametrize("between", [{"kind": "tanh"}, {"kind": "silu"}, {"kind": "leaky_relu"}])
def test_other_activations_are_computed_where_they_stand(between: dict[str, Any]) -> None:
    network, _ = in_both_orders([CONV, between, POOL, RELU, {"kind": "avgpool2d"}, *FLAT])
    assert network.order == network.layers
