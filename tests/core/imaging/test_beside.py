from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.imaging.beside import several
from core.imaging.ink import find_ink
from tests.core.imaging.drawn import Gray, on_white
from tests.core.imaging.numbers import row, written


def count(picture: Image.Image | Gray) -> int:
    return several(find_ink(np.asarray(picture)))


def pair(left: int, right: int, *, aside: float, size: int = 200) -> Gray:
    """Two digits on a wide page, `aside` widths of the page on either side of its middle."""
    canvas = (320, 900)
    return np.minimum(
        on_white(digit=left, canvas=canvas, size=size, at=(0.5 - aside, 0.5)),
        on_white(digit=right, canvas=canvas, size=size, at=(0.5 + aside, 0.5)),
    )


@pytest.mark.parametrize("digit", [2, 4, 5, 7])
def test_one_digit_counts_as_one(digit: int) -> None:
    """The 4 has two strokes, and the 5 a roof of its own."""
    assert count(on_white(digit=digit)) == 1


@pytest.mark.parametrize("aside", [0.12, 0.16, 0.22])
def test_two_digits_side_by_side_count_as_two(aside: float) -> None:
    assert count(pair(2, 7, aside=aside)) == 2


@pytest.mark.parametrize("aside", [0.0, 0.12, 0.22])
def test_the_count_is_the_same_if_the_strokes_have_to_be_found_again(aside: float) -> None:
    ink = find_ink(pair(2, 7, aside=aside))
    assert ink.parts is not None
    assert several(ink) == several(replace(ink, parts=None))


def test_digits_of_mnist_side_by_side_are_counted(mnist: Gray) -> None:
    for first in range(0, 40, 2):
        assert count(written(row(mnist[first : first + 2], 5))) == 2


def test_digits_of_mnist_count_as_one_each(mnist: Gray) -> None:
    assert [count(written(image)) for image in mnist[:100]] == [1] * 100


def test_small_print_far_away_does_not_count() -> None:
    page = np.minimum(on_white(size=160), on_white(size=24, pen=2, at=(0.9, 0.95)))
    assert count(page) == 1


def test_specks_and_lines_do_not_count() -> None:
    page = on_white().copy()
    page[40:46, 280:286] = 0
    page[300:303, 20:300] = 0
    page[150:153, 285:310] = 0
    assert count(page) == 1


def test_a_digit_above_another_does_not_count() -> None:
    page = np.minimum(
        on_white(canvas=(700, 320), size=200, at=(0.5, 0.25)), on_white(canvas=(700, 320), size=200, at=(0.5, 0.75))
    )
    assert count(page) == 1
