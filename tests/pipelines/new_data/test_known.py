"""Copies of MNIST's pictures are found again, also if they were compressed on the way, and other digits are not."""

import io

import numpy as np
import pytest
from PIL import Image

from core.data.mnist import Mnist
from core.imaging import digit_from_bytes
from pipelines.new_data.known import KnownPictures

from .given import digit

TRAIN, TEST, OTHERS = (
    np.stack([digit(number) for number in numbers]) for numbers in (range(300), range(300, 500), range(500, 900))
)


@pytest.fixture(scope="module")
def known() -> KnownPictures:
    return KnownPictures(Mnist(TRAIN, np.zeros(300, np.uint8), TEST, np.zeros(200, np.uint8)))


def test_every_picture_to_train_on_or_to_test_with_is_found(known: KnownPictures) -> None:
    assert known.copies(TRAIN).all()
    assert known.copies(TEST).all()


def test_no_other_digit_is_taken_for_a_copy(known: KnownPictures) -> None:
    assert not known.copies(OTHERS).any()


def test_most_copies_in_jpeg_are_found(known: KnownPictures) -> None:
    def compressed(image: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=85)
        return digit_from_bytes(file.getvalue())

    copies = np.stack([compressed(image) for image in TEST])
    assert not np.array_equal(copies, TEST)
    assert known.copies(copies).mean() > 0.8, (
        "of some, JPEG's noise hides that they are framed, and they are framed anew"
    )


def test_a_picture_counts_as_a_copy_up_to_a_difference_of_eight_levels(known: KnownPictures) -> None:
    noise = np.where(np.indices((28, 28)).sum(axis=0) % 2, 1, -1)  # even, so that it does not show in block means

    def altered(levels: int) -> np.ndarray:
        middle = np.clip(TEST[:20], 20, 235).astype(np.int16)
        near = KnownPictures(Mnist(middle.astype(np.uint8), np.zeros(20, np.uint8), TEST, np.zeros(200, np.uint8)))
        return near.copies((middle + levels * noise).astype(np.uint8))

    assert altered(8).all()
    assert not altered(9).any()


def test_no_pictures_are_no_copies(known: KnownPictures) -> None:
    assert known.copies(TRAIN[:0]).shape == (0,)
