from itertools import pairwise
from math import cos, nan, pi

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ConfigError
from core.optim.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    plateaus,
    schedule_from,
)
from tests.floats import by_hand

STEPS = 100
KINDS = sorted(SCHEDULES)

positive = st.floats(1e-3, 1)
warmups = st.floats(0, 0.99)
schedules = st.one_of(
    st.builds(Constant, warmup=warmups),
    st.builds(Cosine, warmup=warmups, end=st.floats(0, 1)),
    st.builds(Step, warmup=warmups, factor=positive, at=st.sets(st.floats(0.01, 0.99), max_size=4).map(sorted)),
    st.builds(Exponential, warmup=warmups, end=positive),
    st.builds(OneCycle, warmup=warmups, start=positive, end=st.floats(0, 1)),
    st.builds(ReduceOnPlateau, warmup=warmups, factor=positive, patience=st.integers(0, 3)),
)


def factors(schedule: Schedule, steps: int = STEPS) -> list[float]:
    return [schedule(step, steps) for step in range(steps + 1)]


# every schedule


@settings(deadline=None)
@given(schedule=schedules, steps=st.integers(1, 2000), at=st.floats(0, 1), losses=st.lists(st.floats(0, 9), max_size=9))
def test_every_factor_lies_above_zero_and_at_most_at_one(
    schedule: Schedule, steps: int, at: float, losses: list[float]
) -> None:
    step = min(int(at * steps), steps - 1)
    assert 0 < schedule(step, steps, losses) <= 1
    assert schedule(steps, steps, losses) >= 0


@settings(deadline=None)
@given(schedule=schedules, steps=st.integers(2, 300))
def test_after_the_warm_up_no_factor_rises_and_before_none_falls(schedule: Schedule, steps: int) -> None:
    warm = min(round(schedule.warmup * steps), steps - 1)
    found = factors(schedule, steps)
    assert all(a <= b + 1e-15 for a, b in pairwise(found[: warm + 1]))
    assert all(a >= b - 1e-15 for a, b in pairwise(found[warm:]))
    assert found[warm] == by_hand(1)


@settings(deadline=None)
@given(schedule=schedules, steps=st.integers(1, 300))
def test_the_same_arguments_give_the_same_factor_in_any_order(schedule: Schedule, steps: int) -> None:
    assert factors(schedule, steps) == [schedule(step, steps) for step in range(steps, -1, -1)][::-1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_trainings_have_a_rate_too(kind: str, steps: int) -> None:
    assert all(0 < factor <= 1 for factor in factors(SCHEDULES[kind](), steps)[:-1])
    assert SCHEDULES[kind]()(0, 1) == 1


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"step"}))
def test_a_long_training_changes_its_rate_in_small_steps_only(kind: str) -> None:
    found = factors(SCHEDULES[kind](warmup=0.2), 10_000)
    assert max(abs(a - b) for a, b in pairwise(found)) < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_without_options_the_base_rate_is_reached(kind: str) -> None:
    assert max(factors(SCHEDULES[kind]())) == 1


# the shapes


def test_constant_is_one_throughout() -> None:
    assert set(factors(Constant())) == {1.0}


def test_cosine_goes_from_one_to_zero_through_a_half() -> None:
    assert Cosine()(0, STEPS) == 1
    assert Cosine()(STEPS, STEPS) == by_hand(0)
    assert Cosine()(STEPS // 2, STEPS) == by_hand(0.5)


def test_cosine_only_falls() -> None:
    assert all(later < earlier for earlier, later in pairwise(factors(Cosine())))


def test_cosine_is_symmetric_about_its_middle() -> None:
    for step in range(STEPS + 1):
        assert Cosine()(step, STEPS) + Cosine()(STEPS - step, STEPS) == by_hand(1)


def test_cosine_is_bit_for_bit_its_formula() -> None:
    for step in range(STEPS + 1):
        assert Cosine()(step, STEPS) == 0.5 * (1 + cos(pi * step / STEPS))


def test_cosine_may_end_above_zero() -> None:
    assert Cosine(end=0.2)(0, STEPS) == 1
    assert Cosine(end=0.2)(STEPS // 2, STEPS) == by_hand(0.6)
    assert Cosine(end=0.2)(STEPS, STEPS) == by_hand(0.2)


def test_step_falls_at_the_shares_it_is_given_and_nowhere_else() -> None:
    found = factors(Step(at=(0.5, 0.7), factor=0.5))
    assert found == [1.0] * 50 + [0.5] * 20 + [0.25] * 31
    assert factors(Step(at=())) == [1.0] * (STEPS + 1)


def test_exponential_falls_by_the_same_ratio_at_each_step() -> None:
    found = factors(Exponential(end=0.01))
    assert found[0] == 1
    assert found[50] == by_hand(0.1)
    assert found[100] == by_hand(0.01)
    assert all(b / a == by_hand(0.01 ** (1 / 100)) for a, b in pairwise(found))


def test_one_cycle_rises_to_one_and_falls_further_than_it_began() -> None:
    found = factors(OneCycle(warmup=0.4, start=0.1, end=0.01))
    assert found[0] == by_hand(0.1)
    assert found[20] == by_hand((0.1 + 1) / 2)
    assert found[40] == max(found) == 1
    assert found[70] == by_hand((1 + 0.01) / 2)
    assert found[100] == by_hand(0.01)


def test_one_cycle_without_a_rise_is_a_cosine() -> None:
    assert factors(OneCycle(warmup=0, end=0)) == factors(Cosine())


# the warm-up


def test_the_warm_up_rises_in_equal_steps_to_where_the_schedule_begins() -> None:
    assert factors(Constant(warmup=0.04))[:6] == by_hand([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, 1])


def test_after_the_warm_up_the_schedule_has_the_rest_of_the_steps() -> None:
    warm = factors(Cosine(warmup=0.2))
    assert warm[20:] == factors(Cosine(), 80)


# plateaus


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        ([], 0),
        ([3.0, 2.0, 1.0, 0.5], 0),  # always better
        ([1.0, 1.0, 1.0], 0),  # two worse epochs, as many as are put up with
        ([1.0, 1.0, 1.0, 1.0], 1),  # three
        ([1.0, 2.0, 3.0, 0.9, 2.0, 3.0], 0),  # a better one between begins the count anew
        ([1.0] * 7, 2),  # a plateau begins the count anew too
        ([1.0, 1.1, 1.1, 1.1, 1.05, 1.05, 1.05], 2),  # … but not the best so far
    ],
)
def test_a_plateau_is_a_stretch_of_epochs_without_a_better_loss(losses: list[float], found: int) -> None:
    assert plateaus(losses, patience=2, threshold=0.0) == found


def test_a_loss_that_is_better_by_less_than_the_threshold_is_not_better() -> None:
    losses = [1.0, 0.999, 0.998, 0.997]
    assert plateaus(losses, patience=2, threshold=0.01) == 1
    assert plateaus(losses, patience=2, threshold=1e-4) == 0


def test_reduce_on_plateau_applies_its_factor_once_per_plateau_down_to_its_end() -> None:
    schedule = ReduceOnPlateau(factor=0.1, patience=0, end=0.005)
    found = [schedule(50, STEPS, [1.0] * epochs) for epochs in range(6)]
    assert found == by_hand([1, 1, 0.1, 0.01, 0.005, 0.005])


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), max_size=30), st.integers(0, 5))
def test_more_history_never_raises_the_rate_again(losses: list[float], patience: int) -> None:
    schedule = ReduceOnPlateau(factor=0.5, patience=patience)
    found = [schedule(0, 1, losses[:epochs]) for epochs in range(len(losses) + 1)]
    assert all(a >= b for a, b in pairwise(found))


# recipes


def test_a_recipe_names_a_schedule_alone_or_with_options() -> None:
    assert schedule_from("cosine") == schedule_from({"kind": "cosine"}) == Cosine()
    assert schedule_from({"kind": "one_cycle", "warmup": 0.2}) == OneCycle(warmup=0.2)
    assert schedule_from({"kind": "step", "at": [0.3, 0.6]}) == Step(at=(0.3, 0.6))


def test_recipes_know_every_schedule_by_its_name() -> None:
    named = {"constant", "cosine", "step", "exponential", "one_cycle", "reduce_on_plateau"}
    assert named <= SCHEDULES.keys(), "recipes name these"
    assert all(SCHEDULES[kind].kind == kind for kind in KINDS)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("upwards", "unknown schedule 'upwards'; known: constant, cosine, step, "),
        ({"kind": "upwards"}, "unknown schedule 'upwards'; known: constant, cosine"),
        ({"warmup": 0.1}, "unknown schedule None"),
        ({"kind": ["cosine"]}, r"unknown schedule \['cosine'\]"),
        ({"kind": "cosine", "warm": 0.1}, "cosine: unknown option warm; known: warmup, end"),
        ({"kind": "cosine", "warmup": 1.0}, "cosine: warmup = 1.0, expected at least 0 and below 1"),
        ({"kind": "cosine", "warmup": nan}, "cosine: warmup = nan"),
        ({"kind": "cosine", "warmup": "long"}, "cosine: .*given were {'warmup': 'long'}"),
        ({"kind": "cosine", "end": 1.5}, "cosine: end = 1.5, expected 0 to 1"),
        ({"kind": "step", "at": [0.7, 0.5]}, "step: at = .*, expected rising shares between 0 and 1"),
        ({"kind": "step", "at": [0.5, 1.0]}, "step: at = .*, expected rising shares between 0 and 1"),
        ({"kind": "step", "at": 0.5}, "step: .*given were {'at': 0.5}"),
        ({"kind": "step", "factor": 0}, "step: factor = 0, expected above 0 and at most 1"),
        ({"kind": "exponential", "end": 0}, "exponential: end = 0, expected above 0 and at most 1"),
        ({"kind": "one_cycle", "start": 0}, "one_cycle: start = 0, expected above 0 and at most 1"),
        ({"kind": "one_cycle", "end": -1}, "one_cycle: end = -1, expected 0 to 1"),
        ({"kind": "reduce_on_plateau", "factor": 2}, "reduce_on_plateau: factor = 2, expected above 0 and at most 1"),
        ({"kind": "reduce_on_plateau", "patience": 1.5}, "patience = 1.5, expected whole epochs, at least 0"),
        ({"kind": "reduce_on_plateau", "threshold": 1}, "threshold = 1, expected at least 0 and below 1"),
        ({"kind": "reduce_on_plateau", "end": 2}, "end = 2, expected 0 to 1"),
    ],
)
def test_an_impossible_schedule_is_refused_with_what_is_known(entry: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        schedule_from(entry)  # type: ignore[arg-type]
