"""Bounds that hold at every look: by their definition, and by adding up all that can happen."""

from fractions import Fraction
from functools import cache
from math import factorial

import pytest

from pipelines.promotion.anytime import difference, share_bounds
from tests.floats import close


def ratio(x: int, n: int, p: Fraction) -> Fraction:
    """M_n(p) in whole numbers: B(x + 1, n − x + 1) = x! (n − x)! / (n + 1)!, over the likelihood."""
    return Fraction(factorial(x) * factorial(n - x), factorial(n + 1)) / (p**x * (1 - p) ** (n - x))


@pytest.mark.parametrize(("x", "n"), [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (50, 1000), (999, 1000)])
@pytest.mark.parametrize("error", [0.05, 0.001])
def test_an_end_is_where_the_ratio_reaches_one_over_the_error(x: int, n: int, error: float) -> None:
    for end in share_bounds(x, n, error):
        if end in (0.0, 1.0):
            assert x == (0 if end == 0.0 else n), "only a share of 0 or 1 has no lower, or no upper, bound"
        else:
            assert float(ratio(x, n, Fraction(end)) * Fraction(error)) == close(
                1.0, rel=1e-6, why="a bisection to 2^-50, in logarithms of factorials"
            )


@pytest.mark.parametrize("p", [0.01, 0.05, 0.5, 0.9])
@pytest.mark.parametrize("error", [0.2, 0.05])
def test_whoever_looks_after_each_picture_is_ever_wrong_with_that_probability_at_most(p: float, error: float) -> None:
    looks = 100
    bounds = cache(lambda x, n: share_bounds(x, n, error))
    never_wrong = {0: 1.0}  # the probability of each count, as long as the bounds have contained p all the time
    for n in range(1, looks + 1):
        after: dict[int, float] = {}
        for x, probability in never_wrong.items():
            for count, share in ((x, 1 - p), (x + 1, p)):
                low, high = bounds(count, n)
                if low <= p <= high:
                    after[count] = after.get(count, 0.0) + probability * share
        never_wrong = after
    wrong = 1 - sum(never_wrong.values())
    assert 0 < wrong <= error


def test_bounds_close_in_on_the_share_as_pictures_come() -> None:
    widths = [high - low for low, high in (share_bounds(n // 20, n, 0.05) for n in (20, 200, 2000, 2_000_000))]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.002


def test_without_pictures_nothing_is_known() -> None:
    assert share_bounds(0, 0, 0.05) == (0.0, 1.0)
    assert difference((0, 0), (0, 0), 0.05) == (-1.0, 1.0)


def test_a_difference_is_bounded_by_the_two_shares_at_half_the_error_each() -> None:
    (low, high), (low_before, high_before) = share_bounds(9, 100, 0.025), share_bounds(30, 1000, 0.025)
    assert difference((9, 100), (30, 1000), 0.05) == (low - high_before, high - low_before)
