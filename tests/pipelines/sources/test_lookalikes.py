"""Other data sets under MNIST's file names are recognized, and a damaged file is not taken for one."""

import gzip

import numpy as np
import pytest

from core.data import idx
from core.data.mnist import FILES
from core.errors import ConfigError
from pipelines.sources.lookalikes import other_data
from tests.pipelines.sources.sources_inputs import IMAGES, PLAIN

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, _ = FILES


def images(count: int, brightness: float) -> np.ndarray:
    """Images whose pixels have this mean."""
    made = np.zeros((count, 28, 28), np.uint8)
    made.reshape(count, -1)[:, : round(784 * brightness / 255)] = 255
    return made


@pytest.mark.parametrize(
    ("array", "file", "words"),
    [
        (images(60_000, 72.9), TRAIN_IMAGES, "(uint8 60,000×28×28, like Fashion-MNIST)"),
        (images(10_000, 73.1), TEST_IMAGES, "(uint8 10,000×28×28, like Fashion-MNIST)"),
        (images(10_000, 48.9), TEST_IMAGES, "(uint8 10,000×28×28, like Kuzushiji-MNIST)"),
        (images(10_000, 44.2), TEST_IMAGES, "(uint8 10,000×28×28, like EMNIST)"),
        (images(40_000, 44.2), TEST_IMAGES, "(uint8 40,000×28×28, like EMNIST Digits)"),
        (np.zeros(240_000, np.uint8), TRAIN_LABELS, "(uint8 240,000, like EMNIST Digits)"),
        (np.zeros((60_000, 8), np.int32), TRAIN_LABELS, "(int32 60,000×8, like QMNIST)"),
        (np.zeros((100, 28, 28), np.uint8), TRAIN_IMAGES, "(uint8 100×28×28)"),
        (np.zeros((), np.uint8), TRAIN_LABELS, "(uint8 )"),
    ],
    ids=[
        "fashion",
        "its test set",
        "kuzushiji",
        "emnist",
        "emnist digits",
        "its labels",
        "qmnist",
        "fewer",
        "a number",
    ],
)
def test_a_sound_file_of_another_data_set_is_named(array, file, words, tmp_path):
    idx.write(tmp_path / "file", array)
    found = other_data(tmp_path / "file", file)
    assert found is not None
    assert f"a sound file of another data set {words}: this project trains on MNIST; to train on other images" in found


@pytest.mark.parametrize(
    "data",
    [b"", PLAIN[:-1], PLAIN[:-1] + b"x", gzip.compress(PLAIN)[:-1], b"<html>", bytes(len(PLAIN))],
    ids=["empty", "cut short", "one byte wrong", "damaged gzip", "a page", "zeros"],
)
def test_a_damaged_file_is_no_other_data_set(data, tmp_path):
    (tmp_path / "file").write_bytes(data)
    assert other_data(tmp_path / "file", IMAGES) is None


def test_what_is_too_large_to_be_read_is_no_other_data_set(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.write(bytes([0, 0, 8, 1, 0x7F, 0xFF, 0xFF, 0xFF]))
        file.truncate(2**31 + 7)  # sparse: it takes no room
    assert other_data(tmp_path / "file", TRAIN_LABELS) is None


def test_another_data_set_in_a_named_mirror_is_an_error(cache, good, tmp_path):
    idx.write(tmp_path / "images", images(10, 72.9))
    with pytest.raises(ConfigError, match=r"NUMERAL_MIRRORS, has a sound file of another data set .* --extra"):
        cache.fetch(tmp_path.as_uri())
    assert cache.names == set()


def test_another_data_set_in_the_cache_is_an_error_and_stays_where_it_is(cache, good):
    cache.folder.mkdir()
    idx.write(cache.folder / "images", images(10, 72.9))
    before = (cache.folder / "images").read_bytes()
    with pytest.raises(ConfigError, match=r"images is a sound file of another data set .*; move it away"):
        cache.fetch(good)
    assert (cache.folder / "images").read_bytes() == before
