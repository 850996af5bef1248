"""The exact bound of a paired difference: held against all possible results, and against values worked out by hand."""

from itertools import product
from math import comb

import numpy as np
import pytest

from pipelines.promotion.paired import Pairs, least_images, lower_bound, p_value
from tests.floats import by_hand, close

CONFIDENCE = 0.95


def results(n: int) -> list[tuple[int, int]]:
    return [(b, c) for b, c in product(range(n + 1), repeat=2) if b + c <= n]


def probability(n: int, b: int, c: int, p_b: float, p_c: float) -> float:
    rest: float = (1 - p_b - p_c) ** (n - b - c)
    return comb(n, b) * comb(n - b, c) * p_b**b * p_c**c * rest


@pytest.mark.parametrize(
    ("p_b", "p_c"), [(0.5, 0.5), (0.3, 0.1), (0.1, 0.3), (0.05, 0.05), (0.02, 0.0), (0.0, 0.02), (0.15, 0.0)]
)
def test_the_bound_lies_above_the_true_difference_in_five_of_100_cases_at_most(p_b: float, p_c: float) -> None:
    n = 20
    too_high = sum(
        probability(n, b, c, p_b, p_c)
        for b, c in results(n)
        if lower_bound(Pairs(n, b, c), CONFIDENCE) > p_c - p_b + 1e-3  # the bound is searched to within this
    )
    assert too_high <= 1 - CONFIDENCE


def test_the_bound_uses_up_most_of_the_error_that_it_may_make() -> None:
    n, p = 100, 0.1
    cells = [(b, c) for b, c in product(range(35), repeat=2) if b + c <= n]
    wrong = sum(probability(n, b, c, p, p) for b, c in cells if p_value(Pairs(n, b, c), 0.0) <= 1 - CONFIDENCE)
    assert 0.03 < wrong <= 1 - CONFIDENCE


def test_a_margin_is_refuted_exactly_where_the_bound_lies_above_it() -> None:
    for b, c in ((60, 60), (60, 49), (0, 0), (3, 9)):
        pairs = Pairs(5000, b, c)
        bound = lower_bound(pairs, CONFIDENCE)
        assert p_value(pairs, -bound + 1e-4) <= 1 - CONFIDENCE < p_value(pairs, -bound - 1e-4)


def test_more_images_only_the_challenger_reads_raise_the_bound_and_others_lower_it() -> None:
    bounds = [lower_bound(Pairs(1000, 20, gained), CONFIDENCE) for gained in (10, 20, 30)]
    assert bounds == sorted(bounds)
    bounds = [lower_bound(Pairs(1000, lost, 20), CONFIDENCE) for lost in (30, 20, 10)]
    assert bounds == sorted(bounds)


def test_with_many_images_the_bound_is_that_of_the_normal_distribution() -> None:
    pairs = Pairs(5000, 60, 60)
    normal = pairs.difference - 1.6449 * pairs.step
    assert lower_bound(pairs, CONFIDENCE) == close(normal, rel=0.03, why="an exact bound beside its limit")


@pytest.mark.parametrize("margin", [0.005, 0.03, 0.1])
def test_so_many_images_show_a_margin_and_one_fewer_does_not(margin: float) -> None:
    needed = least_images(margin, CONFIDENCE)
    assert p_value(Pairs(needed, 0, 0), margin) <= 1 - CONFIDENCE
    assert p_value(Pairs(needed - 1, 0, 0), margin) > 1 - CONFIDENCE


def test_one_image_shows_hardly_anything() -> None:
    assert lower_bound(Pairs(1, 0, 0), CONFIDENCE) < -0.9
    assert least_images(1.0, CONFIDENCE) == least_images(0.0, CONFIDENCE) == 1


def test_pairs_count_the_images_that_one_version_alone_reads() -> None:
    challenger = np.array([True, True, False, False, True])
    rival = np.array([True, False, True, False, True])
    pairs = Pairs.of(challenger, rival)
    assert (pairs.count, pairs.lost, pairs.gained) == (5, 1, 1)
    assert pairs.difference == 0
    assert Pairs(100, 9, 16).step == by_hand(0.05)
