import numpy as np
import pytest
from PIL import Image

from core.drawing.papers import SHEETS, blank, lines, photographed, scanned, written
from core.drawing.programs import PATHS, by_a_program
from core.errors import NoDigitError
from core.imaging import from_array, to_digit
from tests.core.imaging.drawn import Gray, likeness, likeness_nearby, on_white
from tests.marks import NO_WARNING

pytestmark = NO_WARNING

SEEN = 10
"""Sheets of each kind."""


def is_framed_like(picture: Gray, clean: Gray) -> bool:
    try:
        return likeness(from_array(picture), from_array(clean)) > 0.8
    except NoDigitError:
        return False


# How many of ten are framed like the clean one, where it is fewer than nine.
FLOORS = {
    "a sharp shadow": 5,
    "the shadow of a hand": 7,
    "ruled, scanned": 8,
    "cropped tightly": 8,
    "cropped tightly, photographed": 8,
}


class TestPapers:
    @pytest.mark.parametrize("kind", SHEETS)
    def test_on_any_paper_a_digit_is_framed_as_on_a_clean_one(self, kind: str, mnist: Gray) -> None:
        alike = 0
        for number in range(SEEN):
            rng = np.random.default_rng(number)
            cover = written(mnist[rng.integers(len(mnist))], rng, size=rng.uniform(0.3, 0.6))
            alike += is_framed_like(SHEETS[kind](cover, rng), scanned(blank() + 30, cover, ink=1))
        assert alike >= FLOORS.get(kind, SEEN - 1)

    @pytest.mark.parametrize("digit", [1, 7])
    def test_a_straight_digit_drawn_beside_a_line_survives(self, digit: int) -> None:
        rng = np.random.default_rng(digit)
        cover = by_a_program(digit, rng, pen=10, side=400, box=200) / 255
        columns = np.nonzero(cover.max(axis=0) > 0.5)[0]
        margin = lines(rng, across=False, spacing=400, width=3, strength=0.4)
        margin = np.roll(margin, int(columns.max()) + 2 - int(margin[0].argmax()), axis=1)
        for ruling in (margin, lines(rng, spacing=50, width=3, strength=0.4)):
            assert is_framed_like(photographed(blank() * (1 - ruling), cover, rng), scanned(blank(), cover))

    def test_a_long_stroke_that_reaches_no_edge_is_no_line(self) -> None:
        foot = on_white(digit=2, size=290, pen=5)
        assert is_framed_like(photographed(foot.astype(float), np.zeros(foot.shape), np.random.default_rng(1)), foot)

    @pytest.mark.parametrize("kind", ["ruled", "ruled, scanned", "squared", "squared, scanned"])
    def test_lines_alone_are_no_digit(self, kind: str) -> None:
        for number in range(SEEN):
            with pytest.raises(NoDigitError):
                from_array(SHEETS[kind](np.zeros((400, 400)), np.random.default_rng(number)))


class TestSmallPicturesOfOtherPrograms:
    @pytest.mark.parametrize("pen", [1, 1.3])
    @pytest.mark.parametrize("digit", set(PATHS) - {1})  # nobody can tell a thin 1 from a faint one
    def test_thin_strokes_are_thickened_in_28_pixels_dark_or_light(self, digit: int, pen: float) -> None:
        drawn = by_a_program(digit, np.random.default_rng(digit), pen=pen, box=22)
        usual = from_array(by_a_program(digit, np.random.default_rng(digit), pen=12, side=320, box=220))
        for small in (drawn, 255 - drawn):
            assert likeness_nearby(from_array(small), usual) > 0.8
        stairs = np.where(drawn > 100, 255, 0).astype(np.uint8)
        assert from_array(stairs).mean() > 0.75 * usual.mean()

    @pytest.mark.parametrize("digit", set(PATHS) - {8})
    def test_thick_strokes_that_nearly_fill_28_pixels_stay_whole(self, digit: int) -> None:
        drawn = by_a_program(digit, np.random.default_rng(digit), pen=5.5, box=20)
        usual = by_a_program(digit, np.random.default_rng(digit), pen=40, side=320, box=145)
        for small in (drawn, 255 - drawn):
            assert likeness(from_array(small), from_array(usual)) > 0.75

    def test_strokes_as_wide_as_those_of_mnist_pass_unchanged(self) -> None:
        drawn = by_a_program(3, np.random.default_rng(3), pen=2.5, box=18)
        assert np.array_equal(from_array(drawn), drawn)
        assert np.array_equal(from_array(255 - drawn), drawn)


class TestDithering:
    def test_dots_on_blank_paper_are_no_digit(self) -> None:
        gray = photographed(blank() * 0.7, np.zeros((400, 400)), np.random.default_rng(2))
        with pytest.raises(NoDigitError):
            to_digit(Image.fromarray(gray).convert("1"))
