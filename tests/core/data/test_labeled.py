"""Labeled images, and their form as bytes."""

from typing import Any

import numpy as np
import pytest

from core.data.labeled import ROW_BYTES, Labeled
from core.errors import DatasetError


def labeled(count: int) -> Labeled:
    rng = np.random.default_rng(0)
    return Labeled(rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count, np.uint8))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_what_was_packed_is_unpacked_unchanged(count: int) -> None:
    images = labeled(count)
    packed = images.pack()
    assert len(packed) == count * ROW_BYTES
    again = Labeled.unpack(packed)
    np.testing.assert_array_equal(again.images, images.images)
    np.testing.assert_array_equal(again.labels, images.labels)


def test_a_packed_image_is_its_label_and_then_its_pixels_row_by_row() -> None:
    images = labeled(1)
    assert images.pack() == bytes([images.labels[0]]) + images.images[0].tobytes()


def test_bytes_that_are_no_whole_number_of_images_are_refused() -> None:
    with pytest.raises(DatasetError, match="786 bytes of packed images, expected a multiple of 785"):
        Labeled.unpack(bytes(ROW_BYTES + 1))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 30, 30), np.uint8), np.zeros(3, np.uint8), r"images: uint8 \(3, 30, 30\), expected uint8"),
        (np.zeros((3, 784), np.uint8), np.zeros(3, np.uint8), r"images: uint8 \(3, 784\), expected uint8"),
        (np.zeros((3, 28, 28)), np.zeros(3, np.uint8), r"images: float64 \(3, 28, 28\), expected uint8"),
        (np.zeros((3, 28, 28), np.uint8), np.zeros((3, 1), np.uint8), r"labels: uint8 \(3, 1\), expected integers"),
        (np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.int8), r"labels: int8 \(3,\), expected uint8"),
        (np.zeros((3, 28, 28), np.uint8), np.full(3, 11, np.uint8), "labels: 11 for image 0, expected 0 to 10"),
        (np.zeros((3, 28, 28), np.uint8), np.zeros(4, np.uint8), "3 images, but 4 labels"),
    ],
)
def test_arrays_that_are_no_labeled_images_are_refused(images: Any, labels: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        Labeled(images, labels)
