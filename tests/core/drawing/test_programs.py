import numpy as np
import pytest

from core.drawing.programs import PATHS, by_a_program
from tests.floats import close


@pytest.mark.parametrize("digit", PATHS)
def test_a_digit_is_drawn_light_on_black_and_as_high_as_its_box(digit: int) -> None:
    drawn = by_a_program(digit, np.random.default_rng(0), pen=4, side=200, box=160)
    assert drawn.shape == (200, 200)
    assert not drawn[0].any()
    rows = np.nonzero(drawn.max(axis=1) > 127)[0]
    assert np.ptp(rows) == close(0.9 * 160, abs=10, why="paths leave a little of the box free")


@pytest.mark.parametrize("pen", [2, 6, 10])
def test_its_strokes_are_as_wide_as_the_pen(pen: int) -> None:
    one = by_a_program(1, np.random.default_rng(0), pen=pen, side=200, box=160)
    assert np.count_nonzero(one[100] > 127) == close(pen, abs=1, why="a stroke that leans, in whole pixels")


def test_every_hand_leans_differently() -> None:
    one, other = (by_a_program(4, np.random.default_rng(seed), pen=2) for seed in (0, 1))
    assert not np.array_equal(one, other)
