"""The interval of a difference, against the published one."""

import pytest

from core.measure.evaluate import wilson_interval
from core.measure.newcombe import newcombe_interval
from tests.floats import close


def of(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    return newcombe_interval(one[0] / one[1], wilson_interval(*one), other[0] / other[1], wilson_interval(*other))


# Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10.
@pytest.mark.parametrize(
    ("one", "other", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    one: tuple[int, int], other: tuple[int, int], interval: tuple[float, float]
) -> None:
    assert of(one, other) == close(interval, abs=5e-5, why="published to four decimals")


def test_exchanged_the_difference_has_the_same_interval_with_the_other_sign() -> None:
    low, high = of((56, 70), (48, 80))
    assert of((48, 80), (56, 70)) == (-high, -low)


def test_two_intervals_may_overlap_although_the_difference_is_shown() -> None:
    one, other = (4890, 5000), (4850, 5000)
    assert wilson_interval(*other)[1] > wilson_interval(*one)[0]
    assert of(one, other)[0] > 0
