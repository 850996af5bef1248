import numpy as np
import pytest

from core.drawing.papers import SHEETS, lines, written
from tests.floats import close

WIDE = np.zeros((28, 28), np.uint8)
WIDE[10:14, 4:24] = 255


def test_a_digit_is_written_as_large_as_it_is_told_and_wholly_on_the_sheet() -> None:
    cover = written(WIDE, np.random.default_rng(1), size=0.5)
    columns = np.nonzero(cover.max(axis=0) > 0.5)[0]
    assert np.ptp(columns) == close(0.5 * cover.shape[1], abs=15, why="the outline of a blurred digit")
    assert cover.min() >= 0
    assert cover.max() == 1
    assert not cover[[0, -1]].any()


def test_lines_lie_as_far_apart_as_they_are_told() -> None:
    rows = np.nonzero(lines(np.random.default_rng(1), spacing=50, width=1, strength=0.5)[:, 200] == 0.5)[0]
    assert set(np.diff(rows)) <= {50}


def test_lines_from_top_to_bottom_are_those_from_left_to_right_turned() -> None:
    turned = lines(np.random.default_rng(1), across=False, spacing=50, width=2, strength=0.5)
    assert np.array_equal(turned.T, lines(np.random.default_rng(1), spacing=50, width=2, strength=0.5))


@pytest.mark.parametrize("kind", SHEETS)
def test_the_same_seed_gives_the_same_picture_and_another_one_another(kind: str) -> None:
    cover = written(WIDE, np.random.default_rng(0))
    one, same, other = (SHEETS[kind](cover, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
