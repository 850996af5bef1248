"""The state of an optimizer: with it, a resumed training continues as if it had never stopped."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core.errors import TrainingError
from core.nn.layer import Parameter
from core.optim.optimizers import OPTIMIZERS, Optimizer

KINDS = sorted(OPTIMIZERS)


def advance(optimizer: Optimizer, w: Parameter, steps: range) -> None:
    for step in steps:
        w.grad[...] = np.random.default_rng(step).standard_normal(w.grad.shape)
        optimizer.step(w, 0.1 / (step + 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("done", [0, 1, 7])
def test_a_training_resumed_from_files_is_bit_for_bit_the_one_that_never_stopped(
    kind: str, done: int, tmp_path: Path
) -> None:
    whole, optimizer = Parameter(np.ones(1000, np.float32)), OPTIMIZERS[kind]()
    advance(optimizer, whole, range(done))
    save_file(optimizer.state(), tmp_path / "optimizer.safetensors")
    resumed, successor = Parameter(whole.value.copy()), OPTIMIZERS[kind]()
    successor.load_state(load_file(tmp_path / "optimizer.safetensors"))
    advance(optimizer, whole, range(done, done + 10))
    advance(successor, resumed, range(done, done + 10))
    np.testing.assert_array_equal(resumed.value, whole.value)
    for name, array in optimizer.state().items():
        np.testing.assert_array_equal(successor.state()[name], array)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if OPTIMIZERS[kind].slots])
def test_without_its_state_the_training_would_go_on_differently(kind: str) -> None:
    whole, optimizer = Parameter(np.ones(10)), OPTIMIZERS[kind]()
    advance(optimizer, whole, range(5))
    forgetful = Parameter(whole.value.copy())
    advance(optimizer, whole, range(5, 6))
    advance(OPTIMIZERS[kind](), forgetful, range(5, 6))
    assert np.abs(forgetful.value - whole.value).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_is_copied_when_taken_and_when_loaded(kind: str) -> None:
    w, optimizer = Parameter(np.ones(3)), OPTIMIZERS[kind]()
    advance(optimizer, w, range(2))
    state = optimizer.state()
    kept = {name: array.copy() for name, array in state.items()}
    optimizer.load_state(state)
    advance(optimizer, w, range(2, 4))
    assert int(state["steps"]) == 2
    for name, array in kept.items():
        np.testing.assert_array_equal(state[name], array)


def test_a_state_has_the_step_count_and_every_slot_by_name() -> None:
    for kind, names in [("sgd", set()), ("momentum", {"b"}), ("rmsprop", {"v"}), ("adam", {"m", "v"})]:
        optimizer = OPTIMIZERS[kind]()
        assert optimizer.state().keys() == {"steps"}
        advance(optimizer, Parameter(np.ones(3)), range(1))
        assert optimizer.state().keys() == {"steps"} | names


def test_a_state_of_another_kind_is_refused_and_changes_nothing() -> None:
    adam, sgd = OPTIMIZERS["adam"](), OPTIMIZERS["sgd"]()
    w = Parameter(np.ones(3))
    advance(adam, w, range(2))
    advance(sgd, w, range(2))
    before = adam.state()
    with pytest.raises(TrainingError, match="adam: a state of steps, expected m, steps, v; .* another kind"):
        adam.load_state(sgd.state())
    with pytest.raises(TrainingError, match="sgd: a state of m, steps, v, expected steps"):
        sgd.load_state(before)
    with pytest.raises(TrainingError, match="adam: a state of nothing, expected steps"):
        adam.load_state({})
    for name, array in adam.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_state_of_another_network_is_refused_at_the_next_step() -> None:
    adam, other = OPTIMIZERS["adam"](), OPTIMIZERS["adam"]()
    advance(adam, Parameter(np.ones(3)), range(1))
    other.load_state(adam.state())
    with pytest.raises(TrainingError, match=r"adam: m is float64 \(3,\), but the parameter float64 \(4,\)"):
        advance(other, Parameter(np.ones(4)), range(1))


def test_a_state_from_the_very_beginning_makes_a_used_optimizer_new() -> None:
    used, w = OPTIMIZERS["momentum"](), Parameter(np.ones(3))
    beginning = used.state()
    advance(used, w, range(3))
    used.load_state(beginning)
    first, second = Parameter(np.ones(3)), Parameter(np.ones(3))
    advance(used, first, range(2))
    advance(OPTIMIZERS["momentum"](), second, range(2))
    np.testing.assert_array_equal(first.value, second.value)
