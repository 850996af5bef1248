import numpy as np

from core.drawing.hand import Hand, arc, curve, joined, line
from tests.floats import assert_close

ROUNDING = "rounding of a few float64 operations"


def test_a_line_begins_and_ends_where_it_is_told_and_has_no_gaps() -> None:
    drawn = line((0, 0), (1, 0), (1, 2))
    assert drawn[0].tolist() == [0, 0]
    assert drawn[-1].tolist() == [1, 2]
    steps = np.hypot(*np.diff(drawn, axis=0).T)
    assert steps.max() < 0.03


def test_a_curve_passes_through_all_its_points() -> None:
    points = [(0.0, 0.0), (0.5, 1.0), (1.0, 0.2), (0.3, 0.4)]
    drawn = curve(*points)
    for x, y in points:
        assert np.hypot(drawn[:, 0] - x, drawn[:, 1] - y).min() < 1e-9


def test_a_curve_through_two_points_is_the_line_between_them() -> None:
    assert_close(curve((0, 0), (1, 1)), line((0, 0), (1, 1)), abs=1e-12, why=ROUNDING)


def test_an_arc_of_360_degrees_ends_where_it_began() -> None:
    drawn = arc((0.5, 0.5), (0.2, 0.4), 30, 390)
    assert_close(drawn[0], drawn[-1], abs=1e-12, why=ROUNDING)
    ellipse = ((drawn[:, 0] - 0.5) / 0.2) ** 2 + ((drawn[:, 1] - 0.5) / 0.4) ** 2
    assert_close(ellipse, np.ones(len(drawn)), abs=1e-12, why=ROUNDING)


def test_joined_strokes_keep_their_order() -> None:
    first, second = line((0, 0), (1, 0)), line((1, 0), (1, 1))
    assert len(joined(first, second)) == len(first) + len(second)
    assert joined(first, second)[-1].tolist() == [1, 1]


def test_two_hands_with_the_same_seed_draw_the_same() -> None:
    drawn = [Hand(np.random.default_rng(7)).curve((0, 0), (1, 1), (2, 0)) for _ in range(2)]
    assert np.array_equal(*drawn)
    other = Hand(np.random.default_rng(8)).curve((0, 0), (1, 1), (2, 0))
    assert not np.array_equal(drawn[0], other[: len(drawn[0])])


def test_a_hand_without_jitter_meets_its_points() -> None:
    hand = Hand(np.random.default_rng(0), jitter=0)
    assert hand.at(0.25, 0.75) == (0.25, 0.75)
