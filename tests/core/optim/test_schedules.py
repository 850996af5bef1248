from itertools import pairwise

import pytest

from core.optim.schedules import SCHEDULES, constant, cosine

STEPS = 100


def test_constant_is_one_throughout() -> None:
    assert {constant(step, STEPS) for step in range(STEPS + 1)} == {1.0}


def test_cosine_goes_from_one_to_zero_through_a_half() -> None:
    assert cosine(0, STEPS) == 1
    assert cosine(STEPS, STEPS) == pytest.approx(0, abs=1e-15)
    assert cosine(STEPS // 2, STEPS) == pytest.approx(0.5)


def test_cosine_only_falls() -> None:
    factors = [cosine(step, STEPS) for step in range(STEPS + 1)]
    assert all(later < earlier for earlier, later in pairwise(factors))


def test_cosine_is_symmetric_about_its_middle() -> None:
    for step in range(STEPS + 1):
        assert cosine(step, STEPS) + cosine(STEPS - step, STEPS) == pytest.approx(1)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_between_zero_and_one_and_never_stops_the_last_step(name: str) -> None:
    factors = [SCHEDULES[name](step, STEPS) for step in range(STEPS)]
    assert all(0 < factor <= 1 for factor in factors)
    assert SCHEDULES[name](0, 1) == 1
