"""The spread of a set of images, and that manifests keep it."""

import numpy as np

from core.artifact.manifest import Manifest, Spread
from core.artifact.repository import Repository
from core.artifact.spread import FEATURES, counts, features, spread_of
from tests.core.artifact.builders import claim
from tests.floats import assert_close, assert_same_function


def some(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def test_features_are_the_means_of_the_image_and_of_its_sixteen_cells():
    images = some(5)
    expected = [
        [image.mean(), *(image[r : r + 7, c : c + 7].mean() for r in range(0, 28, 7) for c in range(0, 28, 7))]
        for image in images
    ]
    assert_same_function(features(images), expected, terms=784, dtype=np.float32)


def test_bins_hold_about_a_tenth_of_the_images_each():
    spread = spread_of(some(1000), np.zeros(1000, np.uint8), 10)
    assert len(spread.edges) == len(spread.shares) == FEATURES
    assert all(len(shares) == 10 for shares in spread.shares)
    assert_close(spread.shares, 0.1, abs=0.01, why="several of the 1,000 images may share the value of an edge")


def test_a_value_on_an_edge_belongs_to_the_bin_below_it():
    [found] = counts(np.array([[1.0], [2.0], [2.5], [9.0]], np.float32), ((2.0, 3.0),))
    assert found.tolist() == [2, 1, 1]


def test_a_cell_that_is_always_empty_has_one_edge():
    images = some(100)
    images[:, :7, :7] = 0
    spread = spread_of(images, np.zeros(100, np.uint8), 10)
    assert spread.edges[1] == (0.0,)
    assert spread.shares[1] == (1.0, 0.0)


def test_labels_are_counted_though_some_are_missing():
    assert spread_of(some(4), np.array([1, 1, 3, 0], np.uint8), 5).label_shares == (0.25, 0.5, 0.0, 0.25, 0.0)


def test_a_manifest_keeps_a_spread_exactly_and_an_older_one_has_none():
    _, manifest = claim(Repository("memory://", writable=True))
    assert manifest.spread is None
    spread = spread_of(some(50), np.zeros(50, np.uint8), 10)
    again = Manifest.decode(manifest.model_copy(update={"spread": spread}).encode())
    assert again.spread == spread
    assert isinstance(again.spread, Spread)
