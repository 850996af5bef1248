from typing import Any

import numpy as np
import pytest

from core.errors import ArchitectureError
from core.nn.architectures import build
from core.nn.ensemble import combine
from core.nn.losses import SoftmaxCrossEntropy, softmax
from core.nn.sequential import Sequential
from tests.floats import assert_same_function, by_hand

DENSE = {"kind": "dense", "units": 3}
DEEP = [{"kind": "dense", "units": 5}, {"kind": "batch_norm"}, {"kind": "dropout", "rate": 0.5}, DENSE]


def built(
    *layers: dict[str, Any], inputs: tuple[int, ...] = (3,), seed: int = 0, dtype: Any = np.float64
) -> Sequential:
    return build(inputs, layers, rng=np.random.default_rng(seed), dtype=dtype)


def ensemble(*members: list[dict[str, Any]], **options: Any) -> Sequential:
    return built({"kind": "ensemble", "members": members}, **options)


def ensemble_that_says(*logits: list[float], dtype: Any = np.float32) -> Sequential:
    """An ensemble whose members have these logits for any input of shape (1,)."""
    network = ensemble(*[[{"kind": "dense", "units": len(z)}] for z in logits], inputs=(1,), dtype=dtype)
    network.load_state(
        {f"0.ensemble.{m}.0.dense.W": np.zeros((1, len(z)), dtype) for m, z in enumerate(logits)}
        | {f"0.ensemble.{m}.0.dense.b": np.array(z, dtype) for m, z in enumerate(logits)}
    )
    return network


def sample(images: int = 4) -> Any:
    return np.random.default_rng(5).standard_normal((images, 3))


def test_softmax_of_the_output_is_the_mean_of_the_members_probabilities() -> None:
    alone = [built(*DEEP, seed=seed) for seed in (1, 2, 3)]
    together, x = ensemble(DEEP, DEEP, DEEP), sample()
    together.load_state(combine([member.state() for member in alone]))
    mean = np.mean([softmax(member.forward(x)) for member in alone], axis=0)
    assert_same_function(softmax(together.forward(x)), mean, terms=64)
    assert_same_function(np.exp(together.forward(x)), mean, terms=64)


def test_members_start_with_different_weights_and_outputs() -> None:
    network = ensemble([DENSE], [DENSE])
    first, second = (member.forward(sample()) for member in network.layers[0].members)
    assert np.abs(first - second).min() > 1e-3


def test_an_ensemble_of_one_has_the_output_of_its_member() -> None:
    alone, one, x = built(*DEEP, seed=1), ensemble(DEEP), sample()
    one.load_state(combine([alone.state()]))
    assert_same_function(softmax(one.forward(x)), softmax(alone.forward(x)), terms=64)


def test_members_may_be_built_differently() -> None:
    network = ensemble([{"kind": "dense", "units": 7}, {"kind": "relu"}, DENSE], [DENSE])
    assert network.output_shape == (3,)
    assert_same_function(np.exp(network.forward(sample())).sum(axis=1), 1, terms=16)


def test_a_certain_but_wrong_member_is_outvoted_by_probabilities_not_by_logits() -> None:
    """Two give the first class 90 %, one gives the second all but 100 %: (0.9 + 0.9 + 0) / 3 = 60 %."""
    nine_to_one = [float(np.log(9)), 0.0]
    y = ensemble_that_says(nine_to_one, nine_to_one, [0.0, 1e4]).forward(np.ones((1, 1), np.float32))
    assert_same_function(np.exp(y), [[0.6, 0.4]], terms=9)


@pytest.mark.parametrize("size", [200.0, 1e4, 1e30])
def test_probabilities_too_small_for_float32_have_finite_logarithms(size: float) -> None:
    network = ensemble_that_says([0.0, -size, -2 * size], [0.0, -size, -2 * size])
    y = network.forward(np.ones((1, 1), np.float32), training=True)
    assert_same_function(y, [[0.0, -size, -2 * size]], terms=9)
    network.backward(np.array([[0.0, 1.0, 0.0]], np.float32))  # by a loss that wants the second class less
    for name, parameter in network.parameters.items():
        if name.endswith("b"):
            assert_same_function(parameter.grad, [-0.5, 0.5, 0.0], terms=9)


def test_each_member_gets_its_share_in_the_mean_of_the_gradient() -> None:
    """One image of class 0, whose probability is 0.8 in one member, 0.2 in the other, and so 0.5 in the mean.

    L = −log 0.5, so dL/dp̄_0 = −1/0.5 = −2, for each member's p_0 half of it: −1. A softmax's slope is
    ∂p_0/∂z_0 = p_0 (1 − p_0) = 0.16 in both members, and ∂p_0/∂z_1 = −0.16.
    """
    network = ensemble_that_says([float(np.log(4)), 0.0], [0.0, float(np.log(4))], dtype=np.float64)
    loss = SoftmaxCrossEntropy()
    assert loss.forward(network.forward(np.ones((1, 1)), training=True), np.array([0])) == by_hand(np.log(2))
    network.backward(loss.backward())
    grads = {name: parameter.grad for name, parameter in network.parameters.items()}
    for member in (0, 1):
        assert grads[f"0.ensemble.{member}.0.dense.b"] == by_hand([-0.16, 0.16])


# names and state


def test_names_begin_with_the_members_index() -> None:
    network = ensemble([{"kind": "relu"}, DENSE], [{"kind": "residual", "layers": [DENSE]}], DEEP)
    assert list(network.parameters) == [
        "0.ensemble.0.1.dense.W",
        "0.ensemble.0.1.dense.b",
        "0.ensemble.1.0.residual.0.dense.W",
        "0.ensemble.1.0.residual.0.dense.b",
        "0.ensemble.2.0.dense.W",
        "0.ensemble.2.0.dense.b",
        "0.ensemble.2.1.batch_norm.gamma",
        "0.ensemble.2.1.batch_norm.beta",
        "0.ensemble.2.3.dense.W",
        "0.ensemble.2.3.dense.b",
    ]
    assert list(network.buffers) == [
        "0.ensemble.2.1.batch_norm.running_mean",
        "0.ensemble.2.1.batch_norm.running_var",
    ]
    assert list(network.generators) == ["0.ensemble.2.2.dropout.rng"]


def test_combined_member_states_are_the_state_of_the_ensemble() -> None:
    network = ensemble(DEEP, [DENSE])
    alone = [built(*DEEP), built(DENSE)]
    combined = combine([member.state() for member in alone])
    assert combined.keys() == network.state().keys()
    np.testing.assert_array_equal(combined["0.ensemble.1.0.dense.W"], alone[1].state()["0.dense.W"])


def test_a_replica_shares_the_members_parameters_and_no_scratch() -> None:
    network = ensemble(DEEP, [DENSE])
    replica, x = network.replica(), sample()
    network.vector.value *= 2
    np.testing.assert_array_equal(network.forward(x), replica.forward(x))
    inner = [layer for n in (network, replica) for member in n.layers[0].members for layer in member.layers]
    assert len({id(layer.scratch) for layer in inner}) == len(inner) == 2 * (len(DEEP) + 1)


# what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": []}, "layer 0: ensemble: members is empty, expected at least one list of layers"),
        ({}, "layer 0: ensemble: option members is missing"),
        ({"members": [[DENSE], []]}, "ensemble: member 1 is empty, expected at least one layer"),
        (
            {"members": [[DENSE], [DENSE | {"units": 4}]]},
            r"ensemble: member 1 gives \(4,\), expected \(3,\) as member 0",
        ),
        ({"members": [[DENSE], [DENSE, DENSE | {"units": 0}]]}, "ensemble: member 1: layer 1: dense: units = 0"),
        ({"members": [[{"kind": "densse"}]]}, "ensemble: member 0: layer 0: unknown kind 'densse'"),
        ({"members": [[DENSE]], "make": 1}, "ensemble: unknown option make; known: members"),
        ({"members": [DENSE]}, "layer 0"),
        ({"members": "dense"}, "layer 0"),
        ({"members": 7}, "layer 0"),
        ({"members": [7]}, "layer 0"),
    ],
)
def test_an_invalid_ensemble_is_refused(options: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        built({"kind": "ensemble", **options})


def test_members_need_an_axis_of_classes() -> None:
    with pytest.raises(ArchitectureError, match=r"ensemble: members give \(\), expected at least one axis"):
        ensemble([{"kind": "relu"}], inputs=())
