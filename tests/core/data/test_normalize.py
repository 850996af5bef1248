import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from core.data.normalize import Normalizer
from core.errors import DatasetError
from tests.floats import assert_close, assert_same_function, close

pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 6), st.integers(1, 6)))

SUMS = "one comes from sums of whole numbers, the other from a pairwise sum"


def random_images(count: int = 3000) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@settings(deadline=None, max_examples=100)
@given(images=pictures.filter(lambda images: len(np.unique(images)) > 1))
def test_fitting_finds_mean_and_standard_deviation_of_all_pixels(images: NDArray[np.uint8]) -> None:
    found = Normalizer.fit(images)
    assert found.mean == close(images.mean(dtype=np.float64), rel=1e-12, why=SUMS)
    assert found.std == close(images.std(dtype=np.float64), rel=1e-12, why=SUMS)


def test_a_recipe_chooses_among_fitting_dividing_by_255_and_nothing() -> None:
    images = random_images(10)
    assert Normalizer.of("standard", images) == Normalizer.fit(images)
    assert Normalizer.of("unit", images).apply(np.array([[0, 255]], np.uint8)).tolist() == [[0, 1]]
    assert Normalizer.of("none", images).apply(np.array([[0, 255]], np.uint8)).tolist() == [[0, 255]]


def test_fitting_two_pixels_worked_by_hand() -> None:
    found = Normalizer.fit(np.array([[0], [10]], np.uint8))
    assert (found.mean, found.std) == (5.0, 5.0)


def test_fitting_is_exact_on_more_images_than_one_chunk_and_in_any_order() -> None:
    images = random_images()
    found = Normalizer.fit(images)
    assert found.mean == close(images.mean(dtype=np.float64), rel=1e-13, why=SUMS)
    assert found.std == close(images.std(dtype=np.float64), rel=1e-13, why=SUMS)
    assert Normalizer.fit(images[::-1]) == Normalizer.fit(images.reshape(-1, 784)) == found


def test_fitting_needs_far_less_memory_than_a_float_copy_of_the_images() -> None:
    images = random_images(20_000)
    tracemalloc.start()
    Normalizer.fit(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < images.size  # a float32 copy takes four times that


def test_applying_gives_mean_zero_and_variance_one() -> None:
    images = random_images()
    x = Normalizer.fit(images).apply(images)
    assert x.dtype == np.float32
    assert x.shape == images.shape
    assert abs(x.mean(dtype=np.float64)) < 1e-6
    assert x.std(dtype=np.float64) == close(1, abs=1e-6, why="every element is a float32")


@given(mean=st.floats(0, 255), std=st.floats(1, 128))
def test_applying_is_the_formula_to_within_float32(mean: float, std: float) -> None:
    pixels = np.arange(256, dtype=np.uint8)
    expected = (pixels.astype(np.float64) - mean) / std
    # A product and a difference, each rounded at the size of the larger term: mean / std or 255 / std.
    assert_same_function(Normalizer(mean, std).apply(pixels), expected, terms=4, scale=255 / std)


def test_for_mnist_itself_the_result_is_within_a_millionth() -> None:
    pixels = np.arange(256, dtype=np.uint8)
    expected = (pixels.astype(np.float64) - 33.318) / 78.567
    assert_close(Normalizer(33.318, 78.567).apply(pixels), expected, abs=1e-6, why="what is promised")


def test_applying_writes_to_out_and_does_not_change_the_images() -> None:
    images = random_images(10)
    kept, out = images.copy(), np.empty((10, 28, 28), np.float32)
    normalizer = Normalizer(100, 50)
    assert normalizer.apply(images, out=out) is out
    np.testing.assert_array_equal(out, normalizer.apply(images))
    np.testing.assert_array_equal(images, kept)


def test_no_images_make_no_array() -> None:
    assert Normalizer(100, 50).apply(np.empty((0, 28, 28), np.uint8)).shape == (0, 28, 28)


@pytest.mark.parametrize("images", [np.zeros((0, 28, 28), np.uint8), np.full((5, 28, 28), 7, np.uint8)])
def test_images_without_any_contrast_cannot_be_normalized(images: NDArray[np.uint8]) -> None:
    with pytest.raises(DatasetError, match=f"cannot normalize {len(images)} images: all their pixels are alike"):
        Normalizer.fit(images)
