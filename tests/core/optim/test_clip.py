from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ConfigError
from core.nn.layer import Parameter
from core.optim.clip import clip_by_norm, clip_by_value, gradient_norm
from tests.floats import assert_close, assert_same_function, by_hand, close

NORM = "sums of squares, added in another order, and a root"


def with_gradient(gradient: object, dtype: type[np.floating] = np.float64) -> Parameter:
    grad = np.array(gradient, dtype)
    made = Parameter(np.ones_like(grad))
    made.grad[...] = grad
    return made


def test_a_long_gradient_is_shortened_to_the_limit_worked_by_hand() -> None:
    w = with_gradient([3.0, -4.0])  # its length is 5
    assert clip_by_norm(w, 2.5) == 5
    assert w.grad == by_hand([1.5, -2.0])
    assert w.value.tolist() == [1, 1]


def test_a_short_gradient_is_left_as_it_is() -> None:
    w = with_gradient([3.0, -4.0])
    assert clip_by_norm(w, 5.0) == clip_by_norm(w, 100.0) == 5
    assert w.grad.tolist() == [3, -4]


def test_no_gradient_has_length_zero_and_stays_zero() -> None:
    w = with_gradient([0.0, 0.0])
    assert clip_by_norm(w, 1.0) == 0
    assert w.grad.tolist() == [0, 0]


@settings(deadline=None)
@given(
    gradient=arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e6, 1e6).filter(lambda v: abs(v) > 1e-6)),
    limit=st.floats(1e-3, 1e3),
)
def test_what_is_clipped_has_exactly_the_length_of_the_limit_and_keeps_its_direction(
    gradient: np.ndarray, limit: float
) -> None:
    w = with_gradient(gradient)
    before = clip_by_norm(w, limit)
    assert before == close(float(np.linalg.norm(gradient)), rel=1e-12, why=NORM)
    assert gradient_norm(w) == close(min(before, limit), rel=1e-12, why=NORM)
    assert_close(w.grad * before, gradient * min(before, limit), rel=1e-12, why=NORM)


def test_in_float32_a_million_numbers_are_clipped_to_the_limit_too() -> None:
    w = with_gradient(np.random.default_rng(0).standard_normal(1_000_000), np.float32)
    assert clip_by_norm(w, 1.0) == close(1000, rel=0.01, why="a sample")
    assert_same_function(np.linalg.norm(w.grad.astype(np.float64)), 1, terms=1000, dtype=np.float32)  # summed in parts
    assert w.grad.dtype == np.float32


def test_the_global_norm_is_that_of_all_layers_together() -> None:
    w = with_gradient([[1.0, 2.0], [2.0, 4.0]])
    assert gradient_norm(w) == 5


def test_squares_that_overflow_float32_do_not_hide_the_length() -> None:
    w = with_gradient([3e30, -4e30], np.float32)
    assert clip_by_norm(w, 5.0) == by_hand(5e30, np.float32)
    assert w.grad == by_hand([3, -4], np.float32)


@pytest.mark.parametrize("broken", [nan, inf, -inf])
def test_a_gradient_that_is_not_finite_is_left_for_the_loop_to_find(broken: float) -> None:
    w = with_gradient([1.0, broken])
    assert not np.isfinite(clip_by_norm(w, 0.5))
    np.testing.assert_array_equal(w.grad, [1.0, broken])


def test_clipping_by_value_cuts_each_number_by_itself() -> None:
    w = with_gradient([3.0, -4.0, 0.5, -0.5, 2.0], np.float32)
    grad = w.grad
    clip_by_value(w, 2.0)
    assert w.grad is grad
    assert w.grad.tolist() == [2, -2, 0.5, -0.5, 2]


@pytest.mark.parametrize("clip", [clip_by_norm, clip_by_value])
@pytest.mark.parametrize("limit", [0.0, -1.0, nan, inf])
def test_an_impossible_limit_is_refused(clip: object, limit: float) -> None:
    with pytest.raises(ConfigError, match="limit = .*, expected a finite number above 0"):
        clip(with_gradient([1.0]), limit)  # type: ignore[operator]
