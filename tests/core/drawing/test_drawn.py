"""The drawn part of the training images: how many of which, with which labels, and always the same for a seed."""

import numpy as np
import pytest

from core.digit import LABELS, NO_DIGIT
from core.drawing.drawn import drawn


@pytest.mark.parametrize(("digits", "others"), [(5, 3), (5, 0), (0, 3), (0, 0)])
def test_digits_come_first_and_what_is_no_digit_is_labeled_so(digits: int, others: int) -> None:
    images = drawn(digits, others, 7)
    assert (images.images.shape, images.images.dtype) == ((digits + others, 28, 28), np.uint8)
    assert images.labels.dtype == np.uint8
    assert (images.labels[:digits] < len(LABELS)).all()
    assert (images.labels[digits:] == NO_DIGIT).all()


def test_every_image_has_ink() -> None:
    assert (drawn(5, 5, 7).images.max(axis=(1, 2)) > 128).all()


def test_a_seed_gives_the_same_images_each_time_and_another_seed_others() -> None:
    first, again, other = (drawn(5, 5, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(again.images, first.images)
    np.testing.assert_array_equal(again.labels, first.labels)
    assert not any((image == other.images).all(axis=(1, 2)).any() for image in first.images)
