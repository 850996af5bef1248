import numpy as np
import pytest

from core.drawing import glyphs
from core.drawing.hand import Hand


@pytest.mark.parametrize("like_a_digit", "0123456789OoDIlSsZzbgqyij?!")
def test_no_letter_is_drawn_that_may_be_taken_for_a_digit(like_a_digit: str) -> None:
    assert like_a_digit not in glyphs.LETTERS + glyphs.SIGNS


def test_a_letter_is_about_one_high_and_begins_at_the_left() -> None:
    for seed in range(200):
        strokes = glyphs.letter(Hand(np.random.default_rng(seed))).strokes
        points = np.concatenate(strokes)
        assert points.min() >= 0
        assert points.max() <= 2.01


def test_signs_have_several_strokes() -> None:
    assert all(len(glyphs.sign(Hand(np.random.default_rng(seed))).strokes) >= 4 for seed in range(100))


def test_the_letters_of_a_word_stand_side_by_side() -> None:
    widths = [np.ptp(np.concatenate(glyphs.word(Hand(np.random.default_rng(seed))))[:, 0]) for seed in range(50)]
    assert min(widths) > 0.8
    assert np.median(widths) > 2
