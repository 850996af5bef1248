from typing import Any

import numpy as np
import pytest

from core.errors import ArchitectureError
from core.nn.architectures import build
from core.nn.sequential import Sequential
from tests.floats import assert_same_function

DENSE = {"kind": "dense", "units": 3}
BLOCK = {
    "kind": "residual",
    "layers": [{"kind": "dense", "units": 5}, {"kind": "batch_norm"}, {"kind": "relu"}],
    "shortcut": [{"kind": "dense", "units": 5}],
}


def built(*layers: dict[str, Any], inputs: tuple[int, ...] = (3,), seed: int = 0) -> Sequential:
    return build(inputs, layers, rng=np.random.default_rng(seed), dtype=np.float64)


def sample(images: int = 4, inputs: int = 3) -> Any:
    return np.random.default_rng(5).standard_normal((images, inputs))


def test_a_block_adds_the_output_of_its_layers_to_its_input() -> None:
    block, plain, x = built({"kind": "residual", "layers": [DENSE]}), built(DENSE), sample()
    np.testing.assert_array_equal(block.forward(x), plain.forward(x) + x)


def test_a_block_whose_layers_output_zero_is_the_identity() -> None:
    block, x = built({"kind": "residual", "layers": [{**DENSE, "init": "zeros"}]}), sample()
    np.testing.assert_array_equal(block.forward(x, training=True), x)
    np.testing.assert_array_equal(block.backward(np.ones((4, 3)), need_dx=True), np.ones((4, 3)))


def test_gradients_flow_back_through_both_paths() -> None:
    block, plain, x = built({"kind": "residual", "layers": [DENSE]}), built(DENSE), sample()
    dy = np.random.default_rng(6).standard_normal((4, 3))
    for network in (block, plain):
        network.forward(x, training=True)
    dx_block, dx_plain = (network.backward(dy, need_dx=True) for network in (block, plain))
    assert dx_block is not None
    np.testing.assert_array_equal(dx_block, dx_plain + dy)
    np.testing.assert_array_equal(block.vector.grad, plain.vector.grad)


def test_a_shortcut_may_change_the_shape() -> None:
    block, x = (
        built({"kind": "residual", "layers": [{"kind": "dense", "units": 5}], "shortcut": [DENSE | {"units": 5}]}),
        sample(),
    )
    w, b, w_shortcut, b_shortcut = (p.value for p in block.parameters.values())
    b[...], b_shortcut[...] = 1, 10
    assert block.output_shape == (5,)
    assert_same_function(block.forward(x), x @ w + x @ w_shortcut + 11, terms=8)


def test_gradients_survive_a_hundred_blocks() -> None:
    block = {"kind": "residual", "layers": [{"kind": "dense", "units": 3, "init": "normal"}, {"kind": "tanh"}]}
    deep, flat = built(*[block] * 100), built(*block["layers"] * 100)
    for network, survives in ((deep, True), (flat, False)):
        network.forward(sample(), training=True)
        dx = network.backward(np.ones((4, 3)), need_dx=True)
        assert bool(np.abs(dx).max() > 0.1) is survives


# names and state


def test_nested_parameters_are_named_by_their_path() -> None:
    network = built({"kind": "relu"}, {"kind": "residual", "layers": [BLOCK, DENSE]})
    assert list(network.parameters) == [
        "1.residual.0.residual.0.dense.W",
        "1.residual.0.residual.0.dense.b",
        "1.residual.0.residual.1.batch_norm.gamma",
        "1.residual.0.residual.1.batch_norm.beta",
        "1.residual.0.residual.shortcut.0.dense.W",
        "1.residual.0.residual.shortcut.0.dense.b",
        "1.residual.1.dense.W",
        "1.residual.1.dense.b",
    ]
    assert list(network.buffers) == [
        "1.residual.0.residual.1.batch_norm.running_mean",
        "1.residual.0.residual.1.batch_norm.running_var",
    ]


def test_the_vector_holds_nested_parameters_and_gradients_too() -> None:
    network = built(BLOCK)
    network.vector.value[...] = np.arange(network.vector.value.size)
    network.forward(sample(), training=True)
    network.backward(np.ones((4, 5)))
    parameters = list(network.parameters.values())
    assert sum(p.value.size for p in parameters) == network.vector.value.size == 2 * (3 * 5 + 5) + 2 * 5
    np.testing.assert_array_equal(np.concatenate([p.value.ravel() for p in parameters]), network.vector.value)
    np.testing.assert_array_equal(np.concatenate([p.grad.ravel() for p in parameters]), network.vector.grad)


def test_nested_state_makes_another_network_equal() -> None:
    source, target, x = built(BLOCK, seed=0), built(BLOCK, seed=1), sample()
    source.forward(x, training=True)  # moves the running averages
    target.load_state(source.state())
    np.testing.assert_array_equal(source.forward(x), target.forward(x))


def test_a_replica_shares_nested_parameters_and_no_scratch() -> None:
    network = built(BLOCK)
    replica, x = network.replica(), sample()
    y = network.forward(x)
    kept = y.copy()
    replica.forward(2 * x)
    np.testing.assert_array_equal(y, kept)
    network.forward(x, training=True)
    network.vector.value *= 2
    np.testing.assert_array_equal(network.forward(x).copy(), replica.forward(x))
    inner = [layer for chain in (network, replica) for name, layer in chain.named_layers() if name.count(".") > 1]
    assert len({id(layer.scratch) for layer in inner}) == len(inner) == 8


def test_its_layers_are_named_as_their_parameters_are() -> None:
    network = built({"kind": "residual", "layers": [DENSE, {"kind": "relu"}], "shortcut": [DENSE]}, DENSE)
    names = [name for name, _ in network.named_layers()]
    inner = ["0.dense", "1.relu", "shortcut.0.dense"]
    assert names == ["0.residual", *(f"0.residual.{name}" for name in inner), "1.dense"]
    layers = dict(network.named_layers())
    for name, parameter in network.parameters.items():
        if name.rpartition(".")[0] in layers:
            layer, _, own = name.rpartition(".")
            assert layers[layer].parameters[own] is parameter


# what is refused


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"layers": []}, "layer 0: residual: layers is empty, expected at least one layer"),
        ({}, "layer 0: residual: option layers is missing"),
        (
            {"layers": [{"kind": "dense", "units": 5}]},
            r"layers give \(5,\), the shortcut \(3,\).* from \(3,\) to \(5,\)",
        ),
        ({"layers": [DENSE], "shortcut": [{"kind": "dense", "units": 5}]}, r"layers give \(3,\), the shortcut \(5,\)"),
        ({"layers": [DENSE, {"kind": "dense", "units": 0}]}, "residual: layers: layer 1: dense: units = 0"),
        ({"layers": [DENSE], "shortcut": [{"kind": "densse"}]}, "residual: shortcut: layer 0: unknown kind 'densse'"),
        ({"layers": [DENSE], "make": 1}, "residual: unknown option make; known: layers, shortcut"),
        ({"layers": "dense"}, "layer 0"),
        ({"layers": 7}, "layer 0"),
        ({"layers": None}, "layer 0"),
        ({"layers": {"kind": "dense"}}, "layer 0"),
    ],
)
def test_an_invalid_block_is_refused(block: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        built({"kind": "residual", **block})


def test_endless_nesting_is_refused() -> None:
    block: dict[str, Any] = DENSE
    for _ in range(2000):
        block = {"kind": "residual", "layers": [block]}
    with pytest.raises(ArchitectureError, match="nested too deeply"):
        built(block)
