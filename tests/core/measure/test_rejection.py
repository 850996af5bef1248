"""Rejection: the energy, its calibration as a probability, and the threshold."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.artifact.manifest import Rejection
from core.inference.answers import digitness, energy
from core.measure.rejection import REFUSED_DIGITS, fit_rejection, share_rejected
from tests.floats import assert_close, assert_same_function, by_hand, close

SEARCH = "a search that ends at this precision"


def logits(energies: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logits (N, 2) with these energies: log (½ eᴱ + ½ eᴱ) = E."""
    return np.repeat(energies[:, np.newaxis] - log(2), 2, axis=1)


def drawn(count: int, scale: float, offset: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies of digits and of others, so that the log-odds of a digit at energy E are scale · E + offset.

    Of two normal distributions with the same variance s² and means m₁ and m₀, equally often drawn from, the log-odds
    are (m₁ − m₀) / s² · E + (m₀² − m₁²) / 2s².
    """
    rng, s2 = np.random.default_rng(seed), 4.0
    distance, middle = scale * s2, -offset / scale
    return tuple(middle + sign * distance / 2 + np.sqrt(s2) * rng.standard_normal(count) for sign in (1, -1))  # type: ignore[return-value]


# the energy


def test_the_energy_of_logits_worked_by_hand() -> None:
    assert energy(np.array([[0.0, 0.0], [log(3), 0.0]])) == by_hand([log(2), log(4)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [-1e4, 0.0, 1e4])
def test_the_energy_is_finite_and_shifts_with_the_logits(shift: float, dtype: type[np.floating]) -> None:
    z = np.array([[1, 2, 3], [0, 0, 0]], dtype)
    assert_same_function(energy(z + dtype(shift)), energy(z) + shift, terms=3, dtype=dtype, scale=1e4)


# the digitness


def test_the_digitness_is_the_sigmoid_of_the_scaled_energy() -> None:
    rejection = Rejection(scale=2.0, offset=-1.0, threshold=0.3)
    z = logits(np.array([0.0, 1.0]))
    expected = [1 / (1 + exp(1)), 1 / (1 + exp(-1))]
    assert_close(digitness(z, rejection), expected, rel=1e-6, why="the result is rounded to float32")


def test_the_digitness_of_extreme_energies_is_finite_and_keeps_what_is_small() -> None:
    rejection = Rejection(scale=1.0, offset=0.0, threshold=0.3)
    found = digitness(logits(np.array([-1e6, -80.0, 1e6])), rejection)
    assert found[0] == 0
    assert found[1] == close(exp(-80), rel=1e-6, why="the result is rounded to float32")
    assert found[2] == 1


@pytest.mark.parametrize(("scale", "offset"), [(0.5, 0.0), (1.0, -3.0), (2.0, 10.0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_known_odds_are_recovered(scale: float, offset: float, dtype: type[np.floating]) -> None:
    digits, others = drawn(20_000, scale, offset)
    found = fit_rejection(logits(digits).astype(dtype), logits(others).astype(dtype))
    assert_close([found.scale, found.offset], [scale, offset], rel=0.08, abs=0.08, why="a sample of 20,000")


def test_both_groups_weigh_the_same_however_many_images_they_hold() -> None:
    digits, others = drawn(20_000, 1.0, -3.0)
    found = fit_rejection(logits(digits), logits(others[:1000]))
    assert_close([found.scale, found.offset], [1.0, -3.0], rel=0.15, why="a sample of 1,000")


def test_the_fit_of_two_energies_worked_by_hand() -> None:
    # All N digits have energy 1 and all M others −1, so that p must be Platt's target at each: (N + 1) / (N + 2) and
    # 1 / (M + 2). With N = M = 8 they are 0.9 and 0.1: σ(a + b) = 0.9 and σ(−a + b) = 0.1, so a = log 9 and b = 0.
    found = fit_rejection(logits(np.ones(8)), logits(-np.ones(8)))
    assert found.scale == close(log(9), rel=1e-9, why=SEARCH)
    assert found.offset == close(0, abs=1e-9, why=SEARCH)


def test_groups_that_one_energy_parts_have_a_finite_scale() -> None:
    found = fit_rejection(logits(np.linspace(5, 9, 500)), logits(np.linspace(-9, -5, 500)))
    assert 0 < found.scale < 10
    assert -found.offset / found.scale == close(0, abs=0.1, why="the middle of two groups that mirror each other")


def test_no_fit_near_the_one_found_is_better() -> None:
    digits, others = drawn(500, 0.7, -1.0, seed=3)
    found = fit_rejection(logits(digits), logits(others))

    def loss(a: float, b: float) -> float:
        p, q = (1 / (1 + np.exp(-(a * group + b))) for group in (digits, others))
        t, u = 501 / 502, 1 / 502
        return -sum(np.mean(s * np.log(r) + (1 - s) * np.log(1 - r)) for r, s in ((p, t), (q, u)))

    least = loss(found.scale, found.offset)
    assert all(loss(found.scale + a, found.offset + b) >= least for a in (-1e-3, 0, 1e-3) for b in (-1e-3, 0, 1e-3))


def test_where_others_have_the_higher_energies_the_scale_is_the_smallest_and_hardly_tells_them_apart() -> None:
    found = fit_rejection(logits(-np.ones(50)), logits(np.ones(50)))
    assert found.scale == close(1e-3, rel=1e-9, why=SEARCH)
    assert digitness(logits(np.array([-1.0, 1.0])), found) == close(0.5, abs=1e-3, why="a scale that is almost 0")


# the threshold


def test_the_threshold_refuses_as_many_digits_as_allowed_and_no_more() -> None:
    digits, others = drawn(10_000, 0.5, 0.0)
    found = fit_rejection(logits(digits), logits(others))
    assert found.threshold < 0.5
    refused = digitness(logits(digits), found) < found.threshold
    assert refused.sum() == int(REFUSED_DIGITS * 10_000) == 5
    assert share_rejected(logits(digits), found).share == REFUSED_DIGITS


def test_with_few_digits_none_of_them_is_refused() -> None:
    digits, others = drawn(100, 0.5, 0.0)
    found = fit_rejection(logits(digits), logits(others))
    assert share_rejected(logits(digits), found).share == 0
    assert share_rejected(logits(others), found).share > 0


def test_what_is_more_likely_a_digit_is_never_refused() -> None:
    found = fit_rejection(logits(np.linspace(5, 9, 500)), logits(np.linspace(-9, -5, 500)))
    assert found.threshold == 0.5


def test_a_share_has_its_count_and_its_interval() -> None:
    rejection = Rejection(scale=1.0, offset=0.0, threshold=0.5)
    found = share_rejected(logits(np.array([-2.0, -1.0, 1.0, 2.0])), rejection)
    assert (found.count, found.share) == (4, 0.5)
    assert found.interval == close((0.15, 0.85), abs=0.005, why="as published for two of four")


@settings(deadline=None, max_examples=30)
@given(
    sizes=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 100.0, 1e4]),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_logits_give_a_rejection_that_a_manifest_accepts(
    sizes: tuple[int, int], scale: float, seed: int, dtype: type[np.floating]
) -> None:
    rng = np.random.default_rng(seed)
    digits, others = ((rng.normal(size=(size, 10)) * scale).astype(dtype) for size in sizes)
    found = fit_rejection(digits, others)
    assert Rejection.model_validate_json(found.model_dump_json()) == found
    assert 0 < found.threshold <= 0.5
    assert share_rejected(digits, found).share == 0  # of at most 40 digits, none may be refused
