import numpy as np
import pytest

from core.digit import SIDE
from core.drawing import samples
from core.drawing.digits import STYLES
from core.drawing.others import OTHERS


def test_the_same_seed_draws_the_same_digits() -> None:
    first, second = samples.digits(20, seed=3), samples.digits(20, seed=3)
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)


def test_more_images_begin_with_those_of_fewer() -> None:
    assert np.array_equal(samples.others(12, seed=3)[:5], samples.others(5, seed=3))
    assert np.array_equal(samples.digits(12, seed=3).images[:5], samples.digits(5, seed=3).images)


def test_another_seed_draws_other_images() -> None:
    assert not np.array_equal(samples.others(5, seed=3), samples.others(5, seed=4))
    assert not np.array_equal(samples.digits(5, seed=3).images, samples.digits(5, seed=4).images)


def test_all_ten_digits_are_drawn_and_most_often_the_ones_that_mnist_lacks() -> None:
    counts = np.bincount(samples.digits(400, seed=1).labels, minlength=10)
    assert counts.min() > 10
    assert counts.argmax() == 1


def test_none_of_either_is_an_empty_sample() -> None:
    assert samples.digits(0, seed=1).images.shape == (0, SIDE, SIDE)
    assert samples.others(0, seed=1).shape == (0, SIDE, SIDE)


@pytest.mark.parametrize("name", [*STYLES, *OTHERS])
def test_an_example_is_framed_as_mnist_frames_its_digits(name: str) -> None:
    for seed in range(8):
        image = samples.example(name, seed)
        assert image.dtype == np.uint8
        assert image.max() > 200, seed
        rows, columns = np.nonzero(image > 64)
        assert 15 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 24, seed
