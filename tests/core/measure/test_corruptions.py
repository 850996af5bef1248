"""Corruptions change one thing, always in the same way, and nothing else."""

from math import exp, floor, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.measure.corruptions import CORRUPTIONS, blur, noise, robustness, rotate, shift, thicken, thin
from core.measure.evaluate import wilson_interval
from tests.floats import assert_close, by_hand, close


def strokes(count: int = 4, seed: int = 0) -> NDArray[np.uint8]:
    """(count, 28, 28): a bright box in the middle of each image, its inside of any gray."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 6:22, 8:20] = np.random.default_rng(seed).integers(100, 256, (count, 16, 12))
    return images


def dot(row: int, column: int, value: int = 255) -> NDArray[np.uint8]:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, row, column] = value
    return image


any_corruption = pytest.mark.parametrize("name", CORRUPTIONS)


@any_corruption
@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_corruption_makes_new_images_and_does_not_change_the_old_ones(name: str, count: int) -> None:
    images = strokes(count)
    images.flags.writeable = False
    corrupted = CORRUPTIONS[name].apply(images)
    assert (corrupted.shape, corrupted.dtype) == ((count, 28, 28), np.uint8)
    assert not np.shares_memory(corrupted, images)
    np.testing.assert_array_equal(images, strokes(count))


@any_corruption
def test_a_corruption_changes_every_image_and_always_in_the_same_way(name: str) -> None:
    apply = CORRUPTIONS[name].apply
    corrupted = apply(strokes())
    assert (corrupted != strokes()).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(corrupted, apply(strokes()))


@any_corruption
def test_an_image_is_corrupted_as_if_it_were_alone(name: str) -> None:
    apply, images = CORRUPTIONS[name].apply, strokes(3)
    np.testing.assert_array_equal(apply(images)[:1], apply(images[:1]))
    if name != "noise":  # whose grain differs from image to image
        np.testing.assert_array_equal(apply(images)[2:], apply(images[2:]))


@any_corruption
def test_a_blank_image_stays_blank_but_for_the_noise(name: str) -> None:
    assert CORRUPTIONS[name].apply(np.zeros((2, 28, 28), np.uint8)).any() == (name == "noise")


# shift


def test_a_shift_moves_every_pixel_and_names_the_direction_in_which_it_goes() -> None:
    np.testing.assert_array_equal(CORRUPTIONS["shift_up"].apply(dot(10, 12)), dot(7, 12))
    np.testing.assert_array_equal(CORRUPTIONS["shift_down"].apply(dot(10, 12)), dot(13, 12))
    np.testing.assert_array_equal(CORRUPTIONS["shift_left"].apply(dot(10, 12)), dot(10, 9))
    np.testing.assert_array_equal(CORRUPTIONS["shift_right"].apply(dot(10, 12)), dot(10, 15))


def test_what_is_shifted_out_of_the_frame_does_not_come_in_on_the_other_side() -> None:
    assert not shift(dot(2, 5), down=-3).any()
    assert not shift(dot(5, 27), right=1).any()
    np.testing.assert_array_equal(shift(dot(5, 5), down=2, right=-4), dot(7, 1))


# rotate


def naive_rotate(image: NDArray[np.uint8], degrees: float) -> NDArray[np.float64]:
    """Pixel by pixel: where does this one come from, and what lies around there?"""

    def ink(row: int, column: int) -> float:
        return float(image[row, column]) if 0 <= row < 28 and 0 <= column < 28 else 0.0

    turned = np.zeros((28, 28))
    angle = np.radians(degrees)
    for row in range(28):
        for column in range(28):
            x, y = column - 13.5, 13.5 - row  # as in mathematics: y upward
            from_x, from_y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
            r, c = 13.5 - from_y, 13.5 + from_x
            i, j = floor(r), floor(c)
            for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)):
                turned[row, column] += (1 - abs(r - i - di)) * (1 - abs(c - j - dj)) * ink(i + di, j + dj)
    return turned


@pytest.mark.parametrize("degrees", [15, -15, 45, 130])
def test_a_rotation_agrees_with_its_plain_twin(degrees: float) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), np.uint8)  # ink up to the frame
    for image, found in zip(images, rotate(images, degrees=degrees), strict=True):
        assert_close(found, naive_rotate(image, degrees), abs=1.51, why="`warp` rounds, and so does `rotate`")


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, -1])
def test_quarter_turns_are_exact_and_counterclockwise(quarters: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8)
    np.testing.assert_array_equal(rotate(images, degrees=90 * quarters), np.rot90(images, quarters, axes=(1, 2)))


def test_a_left_turn_moves_ink_from_above_the_center_to_its_left() -> None:
    above = np.zeros((1, 28, 28), np.uint8)
    above[0, 3:6, 13:15] = 255
    columns = np.arange(28) - 13.5
    assert (CORRUPTIONS["rotate_left"].apply(above)[0] @ columns).sum() < 0
    assert (CORRUPTIONS["rotate_right"].apply(above)[0] @ columns).sum() > 0


# noise


def test_noise_has_mean_zero_and_the_given_standard_deviation() -> None:
    gray = np.full((50, 28, 28), 128, np.uint8)
    difference = noise(gray, std=20).astype(np.float64) - 128
    assert abs(difference.mean()) < 0.5
    assert difference.std() == close(20, rel=0.02, why="a sample")


def test_noise_is_cut_at_paper_and_ink() -> None:
    dark, bright = noise(np.zeros((9, 28, 28), np.uint8), std=40), noise(np.full((9, 28, 28), 255, np.uint8), std=40)
    assert (dark == 0).mean() == close(0.5, abs=0.03, why="a sample")
    assert (bright == 255).mean() == close(0.5, abs=0.03, why="a sample")


def test_another_seed_gives_another_noise() -> None:
    assert (noise(strokes(), std=40) != noise(strokes(), std=40, seed=1)).any()


# blur


@pytest.mark.parametrize("sigma", [1.0, 1.5])
def test_a_blurred_dot_is_a_gaussian(sigma: float) -> None:
    found = blur(dot(10, 12), sigma=sigma)[0]
    for row in range(28):
        for column in range(28):
            squared = (row - 10) ** 2 + (column - 12) ** 2
            assert abs(found[row, column] - 255 * exp(-squared / (2 * sigma**2)) / (2 * pi * sigma**2)) <= 0.501


def test_blurring_keeps_the_inside_of_an_even_surface() -> None:
    found = blur(np.full((1, 28, 28), 200, np.uint8), sigma=1)[0]
    assert (found[5:-5, 5:-5] == 200).all()
    assert (found[0] < 150).all(), "beyond the frame is background"


# thin and thick


def test_thin_and_thick_worked_by_hand() -> None:
    # A bar 3 wide. Thick: one pixel more all around. Thin: only the middle has ink all around.
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[0, 10:20, 10:13] = 200
    thick = np.zeros((28, 28), np.uint8)
    thick[9:21, 9:14] = 200
    np.testing.assert_array_equal(thicken(bar)[0], thick)
    narrow = np.zeros((28, 28), np.uint8)
    narrow[10:20, 10:13] = 100
    narrow[11:19, 11] = 200
    np.testing.assert_array_equal(thin(bar)[0], narrow)


def test_strokes_grow_up_to_the_frame_and_do_not_wrap_around() -> None:
    found = thicken(dot(0, 27))[0]
    assert [tuple(place) for place in np.argwhere(found)] == [(0, 26), (0, 27), (1, 26), (1, 27)]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_thin_strokes_are_never_brighter_and_thick_ones_never_darker(seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (2, 28, 28), np.uint8)
    assert (thin(images) <= images).all()
    assert (thicken(images) >= images).all()


# robustness


def test_robustness_is_the_accuracy_on_corrupted_images() -> None:
    # Reads as 1 what has ink in the top four rows, so that a shift up or down decides.
    images = np.concatenate([dot(5, 14), dot(14, 14), dot(1, 14)])
    labels = np.array([0, 0, 1])

    def read(seen: NDArray[np.uint8]) -> NDArray[np.float64]:
        top = seen[:, :4].max(axis=(1, 2)) > 200
        return np.stack([~top, top], axis=1).astype(np.float64)

    found = robustness(read, images, labels)
    assert list(found) == list(CORRUPTIONS)
    assert all(accuracy.count == 3 for accuracy in found.values())
    assert found["shift_right"].accuracy == 1
    assert found["shift_up"].accuracy == by_hand(1 / 3)  # the first moves in, the last moves out of the frame
    assert found["shift_down"].accuracy == by_hand(2 / 3)  # the last moves out of the top rows
    assert found["shift_up"].interval == wilson_interval(1, 3)
