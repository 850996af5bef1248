"""Drift: how far pictures differ from the training images, as a number."""

import numpy as np
import pytest

from core.artifact.spread import spread_of
from core.artifact.stability import ENOUGH
from service.telemetry.drift import PER_TICK, WINDOW, Window

LABELS = 10


def some(count: int, seed: int, high: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, (count, 28, 28), np.uint8)


def digits(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, LABELS, count)


@pytest.fixture
def window() -> Window:
    return Window(spread_of(some(5000, 0), digits(5000).astype(np.uint8), LABELS))


def fill(window: Window, images: np.ndarray, read: np.ndarray) -> tuple[float | None, float | None]:
    """Add them as calls do, a few at a time, with ticks between."""
    scores = None, None
    for start in range(0, len(images), 100):
        window.add(images[start : start + 100], read[start : start + 100])
        scores = window.tick()
    return scores


def test_pictures_like_the_training_images_score_low(window):
    ink, read = fill(window, some(WINDOW, 1), digits(WINDOW, 1))
    assert 0 <= ink < 0.1
    assert 0 <= read < 0.1


@pytest.mark.parametrize(
    "change",
    [lambda images: 255 - images, lambda images: images // 2, lambda images: np.roll(images * (images > 150), 7, 1)],
    ids=["inverted", "paler", "sparser and moved"],
)
def test_pictures_unlike_the_training_images_score_high(window, change):
    ink, _ = fill(window, change(some(WINDOW, 1)), digits(WINDOW, 1))
    assert ink > 0.25


def test_digits_more_frequent_than_in_training_raise_only_the_score_of_digits(window):
    ink, read = fill(window, some(WINDOW, 1), np.full(WINDOW, 3))
    assert ink < 0.1
    assert read > 0.25


def test_too_few_pictures_have_no_score(window):
    assert fill(window, some(ENOUGH - 100, 1), digits(ENOUGH - 100)) == (None, None)
    assert None not in fill(window, some(100, 2), digits(100))


def test_rejected_pictures_count_as_input_and_not_as_digits(window):
    ink, read = fill(window, 255 - some(WINDOW, 1), np.full(WINDOW, -1))
    assert ink > 0.25
    assert read is None
    _, read = fill(window, some(WINDOW, 1), digits(WINDOW, 1))
    _, same = fill(window, some(WINDOW, 2), np.full(WINDOW, -1))
    assert same == read


def test_old_pictures_are_forgotten(window):
    fill(window, 255 - some(WINDOW, 1), digits(WINDOW))
    ink, _ = fill(window, some(WINDOW, 2), digits(WINDOW))
    assert ink < 0.1


def test_of_many_pictures_between_two_ticks_only_some_are_recorded(window):
    window.add(some(PER_TICK, 1), digits(PER_TICK))
    window.add(255 - some(PER_TICK, 1), digits(PER_TICK))  # no room for these
    ink, _ = window.tick()
    assert ink < 0.1


def test_recorded_images_are_copied(window):
    images = some(ENOUGH, 1)
    window.add(images, digits(ENOUGH))
    images[:] = 255
    ink, _ = window.tick()
    assert ink < 0.1
