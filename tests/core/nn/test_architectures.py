from typing import Any

import numpy as np
import pytest

from core.errors import ArchitectureError, ConfigError
from core.nn.architectures import LAYERS, build
from core.nn.layer import Layer
from core.nn.sequential import Sequential


def built(input_shape: Any, layers: Any, dtype: Any = np.float32) -> Sequential:
    return build(input_shape, layers, rng=np.random.default_rng(0), dtype=dtype)


def test_each_layers_input_is_the_output_of_the_one_before() -> None:
    network = built((12,), [{"kind": "dense", "units": 7}, {"kind": "relu"}, {"kind": "dense", "units": 3}])
    assert [(layer.input_shape, layer.output_shape) for layer in network.layers] == [
        ((12,), (7,)),
        ((7,), (7,)),
        ((7,), (3,)),
    ]
    assert network.input_shape == (12,)
    assert network.output_shape == (3,)
    assert network.vector.value.shape == (12 * 7 + 7 + 7 * 3 + 3,)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_array_of_a_network_has_the_requested_dtype(dtype: type[np.floating]) -> None:
    network = built((4,), [{"kind": "dense", "units": 5}, {"kind": "relu"}], dtype)
    assert {array.dtype for array in network.state().values()} == {np.dtype(dtype)}
    assert network.vector.value.dtype == network.vector.grad.dtype == network.dtype == dtype
    assert network.forward(np.ones((2, 4), dtype)).dtype == dtype


def test_one_seed_gives_one_network() -> None:
    layers = [{"kind": "dense", "units": 5}]
    first, second = built((4,), layers), built((4,), layers)
    other = build((4,), layers, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(first.vector.value, second.vector.value)
    assert not np.array_equal(first.vector.value, other.vector.value)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArchitectureError, match=r"layer 1: .*'densse'.*known: .*dense.*relu"):
        built((4,), [{"kind": "dense", "units": 2}, {"kind": "densse", "units": 2}])


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArchitectureError, match=r"layer 0: dense: unknown option unit.*known: units, init"):
        built((4,), [{"kind": "dense", "unit": 2}])


@pytest.mark.parametrize("option", ["rng", "dtype", "input_shape"])
def test_a_recipe_cannot_set_what_the_builder_supplies(option: str) -> None:
    with pytest.raises(ArchitectureError, match=f"unknown option {option}"):
        built((4,), [{"kind": "dense", "units": 2, option: 1}])


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "at least one layer"),
        ([{"units": 2}], "unknown kind None; known: "),
        ([{"kind": "dense"}], "units is missing"),
        ([{"kind": "dense", "units": 0}], "units = 0, expected at least 1"),
        ([{"kind": "dense", "units": -3}], "units = -3, expected at least 1"),
        ([{"kind": "dense", "units": "many"}], "many"),
        ([{"kind": "dense", "units": 2.5}], "2.5"),
        ([{"kind": "dense", "units": None}], "None"),
        ([{"kind": "dense", "units": 10**15}], "allocate"),
        ([{"kind": "dense", "units": 10**30}], "layer 0"),
        (
            [{"kind": "dense", "units": 2, "init": "xavier"}],
            "unknown init 'xavier'; known: he_normal, .*orthogonal, .*zeros",
        ),
        ([{"kind": "dense", "units": 2, "init": ["zeros"]}], "zeros"),
        ([{"kind": ["dense"], "units": 2}], "layer 0"),
        (["dense"], "layer 0"),
        ([{1: 2, "kind": "dense", "units": 2}], "layer 0"),
    ],
)
def test_layers_that_do_not_fit_together_are_refused(layers: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        built((4,), layers)


NAN = float("nan")


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        *[({"kind": "leaky_relu", "slope": v}, rf"leaky_relu: slope = {v}, .* 0 and below 1") for v in (-0.1, 1, NAN)],
        *[({"kind": "dropout", "rate": v}, rf"dropout: rate = {v}, .* 0 and below 1") for v in (-0.1, 1.0, 50, NAN)],
        *[({"kind": "batch_norm", "momentum": v}, rf"batch_norm: momentum = {v}, .* below 1") for v in (-1, 1.0, NAN)],
        *[({"kind": "batch_norm", "eps": v}, rf"batch_norm: eps = {v}, expected 1e-12 to 1") for v in (0, -1, 2, NAN)],
        ({"kind": "dropout"}, "dropout: option rate is missing"),
        ({"kind": "dropout", "rate": "half"}, "dropout: .*half"),
        ({"kind": "batch_norm", "eps": [1]}, "batch_norm: .*eps"),
        ({"kind": "leaky_relu", "slope": None}, "leaky_relu: .*slope"),
        ({"kind": "flatten", "axis": 1}, "flatten: unknown option axis; known: none"),
    ],
)
def test_an_option_out_of_range_is_named_with_its_value_and_its_range(layer: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"layer 0: {message}"):
        built((4,), [layer])


@pytest.mark.parametrize("kind", ["softmax", "batch_norm"])
def test_layers_that_work_along_the_last_axis_need_one(kind: str) -> None:
    with pytest.raises(ArchitectureError, match=f"{kind}: input of shape \\(\\), expected at least one axis"):
        built((), [{"kind": kind}])


@pytest.mark.parametrize("shape", [(0,), (-1,), (2.5,), ("4",), (None,)])
def test_an_impossible_input_shape_is_refused(shape: Any) -> None:
    with pytest.raises(ArchitectureError, match=r"input shape .* expected whole numbers of at least 1"):
        built(shape, [{"kind": "dense", "units": 2}])


def test_dense_refuses_an_input_that_is_not_flat() -> None:
    with pytest.raises(ArchitectureError, match=r"layer 0: dense: input of shape \(28, 28\).*flatten"):
        built((28, 28), [{"kind": "dense", "units": 2}])


def test_an_architecture_error_is_a_configuration_error() -> None:
    assert issubclass(ArchitectureError, ConfigError)


@pytest.mark.parametrize("kind", LAYERS)
def test_each_layer_is_known_by_its_own_kind(kind: str) -> None:
    assert issubclass(LAYERS[kind], Layer)
    assert LAYERS[kind].kind == kind
