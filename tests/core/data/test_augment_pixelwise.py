"""The transforms that change the values of pixels."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from core.data.augment import Erase, Noise, Pixelwise, Stroke
from core.data.filters import extreme_around
from tests.floats import assert_close, close

small = hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)))


def changed(transform: Pixelwise, images: NDArray[Any], seed: int = 0) -> NDArray[np.float32]:
    x = images.astype(np.float32)
    transform.change(x, np.random.default_rng(seed))
    return x


def discs(count: int = 200, size: int = 28) -> NDArray[np.float32]:
    r, c = np.indices((size, size)) - (size - 1) / 2
    return np.repeat(255 * (r**2 + c**2 < 36).astype(np.float32)[np.newaxis], count, axis=0)


def naive_extreme_around(images: NDArray[Any], around: np.ufunc) -> NDArray[Any]:
    found = np.empty_like(images)
    for n, r, c in np.ndindex(*images.shape):
        found[n, r, c] = around.reduce(images[n, max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2], axis=None)
    return found


@settings(deadline=None, max_examples=200)
@given(images=small, around=st.sampled_from([np.maximum, np.minimum]))
def test_extreme_around_is_that_of_the_three_by_three_pixels_around_each(
    images: NDArray[np.uint8], around: np.ufunc
) -> None:
    before = images.copy()
    np.testing.assert_array_equal(extreme_around(images, around), naive_extreme_around(images, around))
    np.testing.assert_array_equal(images, before)


def test_one_pixel_becomes_a_square_and_a_square_one_pixel() -> None:
    pixel, square = np.zeros((2, 1, 5, 5), np.uint8)
    pixel[0, 2, 2], square[0, 1:4, 1:4] = 9, 9
    np.testing.assert_array_equal(extreme_around(pixel, np.maximum), square)
    np.testing.assert_array_equal(extreme_around(square, np.minimum), pixel)


def test_strokes_become_thicker_or_thinner_about_equally_often() -> None:
    images = discs(1000)
    ink = changed(Stroke(), images).sum(axis=(1, 2)) - images.sum(axis=(1, 2))
    assert 430 < (ink > 0).sum() < 570
    assert 430 < (ink < 0).sum() < 570


@pytest.mark.parametrize("amount", [0.25, 1.0])
def test_a_stroke_goes_up_to_the_amount_of_the_way_to_dilation_or_erosion(amount: float) -> None:
    images = discs(2000)
    ink = images[0].sum()
    thickest = naive_extreme_around(images[:1], np.maximum).sum() - ink
    thinnest = naive_extreme_around(images[:1], np.minimum).sum() - ink
    gained = changed(Stroke(amount=amount), images).sum(axis=(1, 2), dtype=np.float64) - ink
    assert 0.98 * amount * thickest < gained.max() <= amount * thickest * 1.0001
    assert 0.98 * amount * thinnest > gained.min() >= amount * thinnest * 1.0001


class Extreme(np.random.Generator):
    """Draws the ends of the range, in turns."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.resize([high, low], size).astype(np.float64)


def test_at_amount_1_a_stroke_is_the_dilation_or_the_erosion() -> None:
    images = np.random.default_rng(1).integers(0, 256, (4, 9, 11)).astype(np.float32)
    x = images.copy()
    Stroke(amount=1).change(x, Extreme())
    np.testing.assert_array_equal(x[::2], naive_extreme_around(images[::2], np.maximum))
    np.testing.assert_array_equal(x[1::2], naive_extreme_around(images[1::2], np.minimum))


@pytest.mark.parametrize("std", [4, 16, 40])
def test_noise_has_the_given_standard_deviation_on_every_pixel(std: float) -> None:
    gray = np.full((500, 12, 12), 127.5)
    noise = changed(Noise(std=std), gray) - 127.5
    assert noise.std() == close(
        std, rel=0.02 if std < 40 else 0.05, why="a sample; of std 40, a little is cut off at 127.5"
    )
    assert abs(noise.mean()) < 5 * std / np.sqrt(noise.size)
    assert noise.std(axis=0).min() > 0.8 * std
    below = (noise < -std).mean()
    assert below == close(0.1587, abs=0.01, why="a sample")  # normal, not uniform: 0.211 of a uniform one


def test_noise_is_clipped_at_black_and_white() -> None:
    black = changed(Noise(std=30), np.zeros((50, 10, 10)))
    white = changed(Noise(std=30), np.full((50, 10, 10), 255))
    assert (black == 0).mean() == close(0.5, abs=0.03, why="a sample")
    assert (white == 255).mean() == close(0.5, abs=0.03, why="a sample")


def erased_sides(share: float, shape: tuple[int, int], count: int = 2000, **options: Any) -> NDArray[np.int64]:
    """Height and width of what was erased, (N, 2), after checking that it is a rectangle."""
    gone = changed(Erase(share=share, **options), np.full((count, *shape), 200)) == 0
    rows, columns = gone.any(axis=2), gone.any(axis=1)
    np.testing.assert_array_equal(gone, rows[:, :, np.newaxis] & columns[:, np.newaxis, :])
    for side in (rows, columns):  # without gaps: it begins at most once
        assert (np.diff(side.astype(int), axis=1, prepend=0) == 1).sum(axis=1).max() <= 1
    return np.stack([rows.sum(axis=1), columns.sum(axis=1)], axis=1)


@pytest.mark.parametrize(("share", "shape"), [(0.3, (28, 28)), (0.5, (10, 31)), (1, (8, 6))])
def test_what_is_erased_is_one_rectangle_of_any_size_up_to_the_share(share: float, shape: tuple[int, int]) -> None:
    longest = [int(share * size) for size in shape]
    sides = erased_sides(share, shape)
    assert sides.max(axis=0).tolist() == longest
    for side, most in zip(sides[sides.min(axis=1) > 0].T, longest, strict=True):
        assert set(side) == set(range(1, most + 1))


def test_a_rectangle_may_lie_anywhere_and_its_place_is_not_tied_to_its_size() -> None:
    images = np.full((4000, 20, 20), 200)
    gone = (changed(Erase(share=0.3), images) == 0).mean(axis=0)
    assert gone.min() > 0  # the corners as well
    assert_close(gone, gone[::-1, ::-1], abs=0.03, why="a sample of 4,000")
    assert_close(gone, gone.T, abs=0.03, why="a sample of 4,000")


def test_what_is_left_keeps_its_values() -> None:
    images = np.random.default_rng(2).integers(1, 256, (100, 12, 12)).astype(np.float32)
    x = changed(Erase(share=0.6), images)
    np.testing.assert_array_equal(x[x != 0], images[x != 0])


def test_a_share_of_less_than_a_pixel_erases_nothing() -> None:
    assert not erased_sides(0.03, (28, 28)).any()
    assert not erased_sides(0, (28, 28)).any()
