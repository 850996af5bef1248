import numpy as np
import pytest

from core.drawing.hand import Hand, arc, line
from core.drawing.pen import Pen, ink, transformed


def hand(seed: int = 0) -> Hand:
    return Hand(np.random.default_rng(seed))


@pytest.mark.parametrize("size", [40, 100])
def test_a_drawing_is_about_as_large_as_it_was_asked_to_be(size: int) -> None:
    drawn = np.asarray(ink([line((0, 0), (0.4, 1))], Pen(0.04, 0, tapering=False), hand(), size))
    rows, _ = np.nonzero(drawn > 128)
    assert size <= np.ptp(rows) + 1 <= size * 1.04 + 3


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_strokes_are_as_wide_as_the_pen(width: float) -> None:
    drawn = np.asarray(ink([line((0, 0), (0, 1))], Pen(width, 0, tapering=False), hand(), 100), np.float64) / 255
    middle = drawn[len(drawn) // 2].sum()
    assert abs(middle - 100 * width) < 1.5


def test_pressure_changes_the_width_along_a_stroke() -> None:
    drawn = np.asarray(ink([line((0, 0), (0, 1))], Pen(0.1, 0.35, tapering=False), hand(), 100), np.float64) / 255
    widths = drawn.sum(axis=1)[10:-10]
    assert np.ptp(widths) > 2


def test_a_tapering_stroke_ends_thinner_than_it_is_in_the_middle() -> None:
    widths = Pen(0.1, 0, tapering=True).widths(100, hand())
    assert widths[0] < widths[50] / 2 > widths[-1]


def test_a_wide_word_is_drawn_with_the_pen_of_its_letters_not_of_its_width() -> None:
    wide = [line((x, 0), (x, 1)) for x in np.linspace(0, 4, 9)]
    drawn = np.asarray(ink(wide, Pen(0.1, 0, tapering=False), hand(), 200), np.float64) / 255
    across = drawn[len(drawn) // 2]
    assert abs(across.sum() / 9 - 0.1 * 200 / 4) < 3  # with the width, it would be 15 more


def test_transformed_strokes_keep_their_number_and_their_points() -> None:
    strokes = [arc((0.5, 0.5), (0.3, 0.5), 0, 360), line((0, 0), (1, 1))]
    found = transformed(strokes, hand(), turn=10, slant=0.3, stretch=0.3)
    assert [stroke.shape for stroke in found] == [stroke.shape for stroke in strokes]
