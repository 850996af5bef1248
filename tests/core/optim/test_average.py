import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from core.errors import ConfigError, TrainingError
from core.nn.layer import Parameter
from core.optim.average import ExponentialAverage
from tests.floats import by_hand, close


def averaged(decay: float, path: list[float]) -> float:
    """The average after the weight has been at each place of `path`."""
    w, average = Parameter(np.zeros(1)), ExponentialAverage(decay)
    for place in path:
        w.value[...] = place
        average.update(w)
    average.swap(w)
    return float(w.value[0])


def test_the_average_worked_by_hand() -> None:
    # Of 8, then 2, then 5, with d = 1/2: one step old weighs 1/2, two steps old 1/4.
    assert averaged(0.5, [8]) == 8
    assert averaged(0.5, [8, 2]) == by_hand((2 + 8 / 2) / (1 + 1 / 2))
    assert averaged(0.5, [8, 2, 5]) == by_hand((5 + 2 / 2 + 8 / 4) / (1 + 1 / 2 + 1 / 4))


@settings(deadline=None)
@given(decay=st.floats(0, 0.9999), path=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_the_average_is_the_weighted_mean_that_its_formula_says(decay: float, path: list[float]) -> None:
    weights = decay ** np.arange(len(path))[::-1]
    assert averaged(decay, path) == close(
        weights @ path / weights.sum(), rel=1e-8, abs=1e-8, why="powers of a decay near 1, taken step by step"
    )


def test_the_average_of_a_short_training_is_nearly_the_plain_mean() -> None:
    assert averaged(0.9999, [1, 2, 3, 4]) == close(2.5, abs=1e-3, why="a decay of 0.9999 is nearly 1")


def test_an_average_with_decay_0_is_the_weights() -> None:
    assert averaged(0.0, [8, 2, 5]) == 5


def test_constant_weights_are_their_own_average() -> None:
    assert averaged(0.99, [7] * 50) == 7


def test_swapping_twice_gives_the_weights_back_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    w, average = Parameter(rng.standard_normal(1000).astype(np.float32)), ExponentialAverage(0.9)
    value = w.value
    for _ in range(3):
        w.value += rng.standard_normal(1000).astype(np.float32)
        average.update(w)
    before = w.value.copy()
    average.swap(w)
    assert average.swapped
    assert not np.array_equal(w.value, before)
    average.swap(w)
    assert not average.swapped
    assert w.value is value
    np.testing.assert_array_equal(w.value, before)


def test_the_average_lies_nearer_to_the_bottom_than_noisy_weights_do() -> None:
    rng = np.random.default_rng(0)
    w, average = Parameter(np.full(100, 5.0)), ExponentialAverage(0.99)
    for _ in range(1000):
        w.value -= 0.1 * (w.value + rng.standard_normal(100))  # noisy descent of ½ ‖w‖²
        average.update(w)
    noisy = float(np.linalg.norm(w.value))
    average.swap(w)
    assert np.linalg.norm(w.value) < noisy / 2


@pytest.mark.parametrize("done", [0, 1, 5])
@pytest.mark.parametrize("swapped", [False, True])
def test_an_average_resumed_from_files_continues_bit_for_bit(done: int, swapped: bool, tmp_path: Path) -> None:
    def advance(w: Parameter, average: ExponentialAverage, steps: range) -> None:
        if average.swapped:
            average.swap(w)
        for step in steps:
            w.value += np.random.default_rng(step).standard_normal(100).astype(np.float32)
            average.update(w)

    w, average = Parameter(np.zeros(100, np.float32)), ExponentialAverage(0.9)
    advance(w, average, range(done))
    if swapped and done:
        average.swap(w)
    save_file(average.state(), tmp_path / "average.safetensors")
    resumed, successor = Parameter(w.value.copy()), ExponentialAverage(0.9)
    successor.load_state(load_file(tmp_path / "average.safetensors"))
    for parameter, which in [(w, average), (resumed, successor)]:
        advance(parameter, which, range(done, done + 5))
    np.testing.assert_array_equal(resumed.value, w.value)
    average.swap(w)
    successor.swap(resumed)
    np.testing.assert_array_equal(resumed.value, w.value)


def test_after_the_first_update_nothing_is_allocated() -> None:
    w, average = Parameter(np.ones(100_000, np.float32)), ExponentialAverage(0.9)
    average.update(w)
    tracemalloc.start()
    average.update(w)
    average.swap(w)
    average.swap(w)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4096


def test_weights_that_are_swapped_out_cannot_be_averaged() -> None:
    w, average = Parameter(np.ones(3)), ExponentialAverage(0.9)
    average.update(w)
    average.swap(w)
    with pytest.raises(TrainingError, match="swap them in again"):
        average.update(w)


def test_there_is_nothing_to_swap_in_before_the_first_step() -> None:
    with pytest.raises(TrainingError, match="nothing has been averaged yet"):
        ExponentialAverage(0.9).swap(Parameter(np.ones(3)))


def test_another_parameter_is_refused() -> None:
    average = ExponentialAverage(0.9)
    average.update(Parameter(np.ones(3)))
    for use in (average.update, average.swap):
        with pytest.raises(TrainingError, match=r"it is float64 \(3,\), but the parameter float32 \(3,\)"):
            use(Parameter(np.ones(3, np.float32)))


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(TrainingError, match="average: a state of m, steps, expected swapped, updates"):
        ExponentialAverage(0.9).load_state({"steps": np.array(1), "m": np.ones(3)})


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2.0, float("nan")])
def test_an_impossible_decay_is_refused(decay: float) -> None:
    with pytest.raises(ConfigError, match="average: decay = .*, expected at least 0 and below 1"):
        ExponentialAverage(decay)
