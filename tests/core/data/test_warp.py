"""Interpolation between pixels, against a twin that works pixel by pixel."""

from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from core.data.warp import warp
from tests.floats import assert_close

HALF_A_LEVEL = 0.5 + 1e-3  # 1e-3: the coordinates are float32
places = st.floats(-3, 9, width=32) | st.integers(-3, 9).map(float) | st.floats(-(2.0**100), 2.0**100, width=32)


def naive(images: NDArray[np.uint8], rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """The docstring's formula, one pixel after another, in float64."""
    _, height, width = images.shape
    y = np.zeros(rows.shape)
    for n, r, c in np.ndindex(*rows.shape):

        def x(i: int, j: int, n: int = n) -> float:
            return float(images[n, i, j]) if 0 <= i < height and 0 <= j < width else 0.0

        row, column = float(rows[n, r, c]), float(columns[n, r, c])
        i, j = floor(row), floor(column)
        f, g = row - i, column - j
        y[n, r, c] = (
            (1 - f) * ((1 - g) * x(i, j) + g * x(i, j + 1))
            + f * ((1 - g) * x(i + 1, j) + g * x(i + 1, j + 1))
        )  # fmt: skip
    return y


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def own_places(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each pixel's own row (H, 1) and column (W,)."""
    return np.arange(height, dtype=np.float32).reshape(-1, 1), np.arange(width, dtype=np.float32)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    count, height, width = (draw(st.integers(1, limit)) for limit in (3, 6, 6))
    output = (count, draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    images = draw(hnp.arrays(np.uint8, (count, height, width)))
    rows, columns = (draw(hnp.arrays(np.float32, output, elements=places)) for _ in range(2))
    return images, rows, columns


@settings(deadline=None, max_examples=150)
@given(question=questions())
def test_every_pixel_is_the_weighted_mean_of_four_to_within_half_a_level(question: tuple[Any, Any, Any]) -> None:
    assert_close(warp(*question), naive(*question), abs=HALF_A_LEVEL, why="places in steps of 1/256 pixel")


def test_the_error_has_no_bias() -> None:
    rng = np.random.default_rng(1)
    images = noise(8, 20, 24)
    rows, columns = (rng.uniform(1, 18, images.shape).astype(np.float32) for _ in range(2))
    errors = warp(images, rows, columns) - naive(images, rows, columns)
    assert abs(errors.mean()) < 0.02
    assert np.abs(errors).max() > 0.1  # and they are there: this compares something


def test_between_two_by_two_pixels_worked_by_hand() -> None:
    images = np.array([[[0, 100], [40, 200]]], np.uint8)
    at = np.full((1, 1, 1), 0.5, np.float32)
    assert warp(images, at, at).item() == 85  # (0 + 100 + 40 + 200) / 4
    quarter = np.full((1, 1, 1), 0.25, np.float32)
    assert warp(images, quarter, at).item() == 67.5  # ¾ · (0 + 100) / 2 + ¼ · (40 + 200) / 2


@pytest.mark.parametrize("shape", [(3, 28, 28), (2, 5, 9), (2, 9, 5), (1, 1, 1), (4, 1, 7), (4, 7, 1)])
def test_pixels_read_at_their_own_places_are_themselves(shape: tuple[int, int, int]) -> None:
    images = noise(*shape)
    np.testing.assert_array_equal(warp(images, *own_places(*shape[1:])), images)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 1), (-2, 3), (4, -5)])
def test_a_move_by_whole_pixels_is_exact_and_what_enters_is_black(down: int, right: int) -> None:
    images = noise(2, 6, 8)
    rows, columns = own_places(6, 8)
    expected = np.zeros((2, 6, 8))
    for r, c in np.ndindex(6, 8):
        if 0 <= r + down < 6 and 0 <= c + right < 8:
            expected[:, r, c] = images[:, r + down, c + right]
    np.testing.assert_array_equal(warp(images, rows + down, columns + right), expected)


def test_a_quarter_turn_and_a_mirror_image_are_exact() -> None:
    images = noise(3, 7, 7)
    rows, columns = own_places(7, 7)
    np.testing.assert_array_equal(warp(images, columns, 6 - rows), np.rot90(images, axes=(1, 2)))
    np.testing.assert_array_equal(warp(images, rows, 6 - columns), images[:, :, ::-1])


def test_the_output_may_have_another_size() -> None:
    images = noise(2, 4, 6)
    rows, columns = own_places(9, 3)
    y = warp(images, rows, columns)
    assert y.shape == (2, 9, 3)
    np.testing.assert_array_equal(y[:, :4], images[:, :, :3])
    assert not y[:, 4:].any()


@pytest.mark.parametrize("outside", [-1, 5, -1.5, 1e9, -1e9, np.inf, -np.inf, np.nan, np.finfo(np.float32).max])
def test_outside_all_is_black_however_far_and_nan_is_outside(outside: float) -> None:
    images = np.full((3, 5, 5), 255, np.uint8)
    inside = np.full((3, 2, 2), 2, np.float32)
    away = np.full((3, 2, 2), outside, np.float32)
    assert (warp(images, inside, inside) == 255).all()
    for rows, columns in ((away, inside), (inside, away), (away, away)):
        assert (warp(images, rows, columns) == 0).all()


def test_across_the_edge_an_image_fades_out_within_one_pixel() -> None:
    images = np.full((1, 3, 3), 200, np.uint8)
    rows = np.array([-1, -0.75, -0.5, 0, 1, 2, 2.25, 2.75, 3], np.float32).reshape(1, -1, 1)
    faded = [0, 50, 100, 200, 200, 200, 150, 50, 0]
    assert warp(images, rows, np.ones((1, 1, 1), np.float32)).ravel().tolist() == faded
    assert warp(images, np.ones((1, 1, 1), np.float32), rows.reshape(1, 1, -1)).ravel().tolist() == faded


def test_no_light_leaks_from_one_image_of_a_batch_into_another() -> None:
    images = np.zeros((5, 6, 7), np.uint8)
    images[[0, 2, 4]] = 255
    rng = np.random.default_rng(0)
    rows, columns = (rng.uniform(-3, 10, (5, 40, 40)).astype(np.float32) for _ in range(2))
    y = warp(images, rows, columns)
    assert not y[[1, 3]].any()
    assert all(y[n].any() for n in (0, 2, 4))


def test_each_image_of_a_batch_is_what_it_is_alone() -> None:
    images = noise(4, 6, 5)
    rng = np.random.default_rng(0)
    rows, columns = (rng.uniform(-1, 6, images.shape).astype(np.float32) for _ in range(2))
    alone = [warp(images[n : n + 1], rows[n : n + 1], columns[n : n + 1])[0] for n in range(4)]
    np.testing.assert_array_equal(warp(images, rows, columns), alone)


@pytest.mark.parametrize("row_shape", [(3, 4, 5), (1, 4, 5), (4, 5), (3, 4, 1), (4, 1), (1, 1, 1)])
@pytest.mark.parametrize("column_shape", [(3, 4, 5), (3, 1, 5), (4, 5), (5,)])
def test_rows_and_columns_are_broadcast(row_shape: tuple[int, ...], column_shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    images = noise(3, 4, 5)
    rows = rng.uniform(-1, 4, row_shape).astype(np.float32)
    columns = rng.uniform(-1, 5, column_shape).astype(np.float32)
    shape = np.broadcast_shapes((3, 1, 1), row_shape, column_shape)
    full = (np.broadcast_to(rows, shape), np.broadcast_to(columns, shape))
    np.testing.assert_array_equal(warp(images, rows, columns), warp(images, *full))


def test_the_result_is_a_new_float32_array_and_the_arguments_are_unchanged() -> None:
    images = noise(3, 6, 6)
    rows, columns = (np.random.default_rng(s).uniform(-2, 8, images.shape).astype(np.float32) for s in (0, 1))
    given_before = [array.copy() for array in (images, rows, columns)]
    y = warp(images, rows, columns)
    assert y.dtype == np.float32
    assert y.shape == images.shape
    assert y.flags.c_contiguous
    assert y.flags.writeable
    assert not any(np.shares_memory(y, array) for array in (images, rows, columns))
    for array, before in zip((images, rows, columns), given_before, strict=True):
        np.testing.assert_array_equal(array, before)


@settings(deadline=None, max_examples=50)
@given(question=questions())
def test_what_is_read_stays_from_0_to_255(question: tuple[Any, Any, Any]) -> None:
    _, rows, columns = question
    white = np.full_like(question[0], 255)
    y = warp(white, rows, columns)
    assert y.min() >= 0
    assert y.max() <= 255


def test_images_that_are_not_contiguous_are_read_as_they_are_seen() -> None:
    images = noise(6, 8, 10)
    rows, columns = own_places(4, 5)
    seen = images[::-2, ::2, 1::2]
    np.testing.assert_array_equal(warp(seen, rows + 0.25, columns + 0.5), warp(seen.copy(), rows + 0.25, columns + 0.5))
    across = images.swapaxes(1, 2)
    np.testing.assert_array_equal(warp(across, *own_places(10, 8)), across)


def test_a_batch_of_no_images_gives_no_images() -> None:
    assert warp(np.empty((0, 4, 4), np.uint8), *own_places(4, 4)).shape == (0, 4, 4)
