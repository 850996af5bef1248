import math

import numpy as np

from core.artifact.spread import features, spread_of
from core.artifact.stability import drift, stability_index
from tests.floats import by_hand


def some(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (count, 28, 28), np.uint8)


def test_the_index_is_that_of_the_formula() -> None:
    formula = (0.7 - 0.5) * math.log(0.7 / 0.5) + (0.3 - 0.5) * math.log(0.3 / 0.5)
    assert stability_index([0.5, 0.5], [0.7, 0.3]) == by_hand(formula)
    assert stability_index([0.5, 0.5], [0.5, 0.5]) == 0


def test_an_empty_bin_gives_a_large_but_finite_index() -> None:
    assert 0.25 < stability_index([0.5, 0.5, 0.0], [0.4, 0.4, 0.2]) < 10


def test_the_drift_is_the_index_of_the_feature_that_differs_most() -> None:
    spread = spread_of(some(5000, 0), np.zeros(5000, np.uint8), 10)
    assert drift(spread, features(some(1000, 1))) < 0.1
    emptied = some(1000, 1)
    emptied[:, :7, :7] = 0  # one cell of sixteen
    assert drift(spread, features(emptied)) > 1


def test_a_single_image_has_a_drift_too() -> None:
    spread = spread_of(some(100, 0), np.zeros(100, np.uint8), 10)
    assert math.isfinite(drift(spread, features(some(1, 1))))
