from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from core.nn.architectures import build
from core.nn.initializers import (
    INITIALIZERS,
    Initializer,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    normal,
    orthogonal,
    unit_normal,
    zeros,
)
from tests.floats import assert_same_function, close


@pytest.mark.parametrize(("fan_in", "fan_out"), [(9, 30), (128, 10), (784, 128)])
@pytest.mark.parametrize(
    ("draw", "variance"),
    [
        (he_normal, lambda fan_in, fan_out: 2 / fan_in),
        (he_uniform, lambda fan_in, fan_out: 2 / fan_in),
        (glorot_normal, lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        (glorot_uniform, lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
        (lecun_normal, lambda fan_in, fan_out: 1 / fan_in),
        (normal, lambda fan_in, fan_out: 0.01**2),
        (unit_normal, lambda fan_in, fan_out: 1.0),
    ],
)
def test_initial_weights_have_mean_zero_and_the_variance_of_their_scheme(
    draw: Initializer, variance: Callable[[int, int], float], fan_in: int, fan_out: int
) -> None:
    count, expected = 200_000, variance(fan_in, fan_out)
    weights = draw(np.random.default_rng(0), (count,), fan_in, fan_out, np.float64)
    # The standard errors of a normal sample: std/√n of its mean, variance·√(2/n) of its variance (less for a uniform
    # one). Five of them.
    assert abs(weights.mean()) < 5 * sqrt(expected / count)
    assert abs(weights.var() - expected) < 5 * expected * sqrt(2 / count)


@pytest.mark.parametrize(("draw", "limit"), [(he_uniform, sqrt(6 / 100)), (glorot_uniform, sqrt(6 / 150))])
def test_uniform_weights_fill_their_range_and_no_more(draw: Initializer, limit: float) -> None:
    weights = draw(np.random.default_rng(0), (100_000,), 100, 50, np.float64)
    assert np.abs(weights).max() == close(limit, rel=1e-3, why="the largest of a sample of 100,000")
    assert np.abs(weights).max() <= limit


@pytest.mark.parametrize("draw", [he_normal, he_uniform])
def test_he_weights_keep_the_size_of_signals_through_many_relu_layers(draw: Initializer) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 400))
    before = np.mean(x**2)
    for _ in range(10):
        x = np.maximum(x, 0) @ draw(rng, (400, 400), 400, 400, np.float64)
    assert 0.5 < np.mean(x**2) / before < 2


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (1, 5), (5, 1), (1, 1), (2, 3, 4, 5), (2, 2, 3, 20), (7,)])
def test_orthogonal_weights_have_orthonormal_columns_or_rows(shape: tuple[int, ...]) -> None:
    weights = orthogonal(np.random.default_rng(0), shape, 1, 1, np.float64)
    assert weights.shape == shape
    matrix = weights.reshape(-1, shape[-1])
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    assert_same_function(gram, np.eye(len(gram)), terms=weights.size, scale=2.0)


def test_orthogonal_weights_prefer_no_direction() -> None:
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal(rng, (3, 3), 3, 3, np.float64) for _ in range(4000)])
    # An element of a uniform orthogonal 3 × 3 matrix has mean 0 and variance 1/3, and a determinant of either sign.
    assert np.abs(draws.mean(axis=0)).max() < 5 * sqrt(1 / 3 / 4000)
    assert np.abs((draws**2).mean(axis=0) - 1 / 3).max() < 0.03
    assert abs(np.linalg.det(draws).mean()) < 5 / sqrt(4000)


def test_the_standard_deviation_of_normal_weights_can_be_chosen() -> None:
    weights = normal(np.random.default_rng(0), (100_000,), 1, 1, np.float64, std=3)
    assert weights.std() == close(3, rel=0.02, why="a sample of 100,000")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_dense_layer_takes_every_initializer_by_name(name: str) -> None:
    network = build((4,), [{"kind": "dense", "units": 3, "init": name}], rng=np.random.default_rng(3))
    expected = INITIALIZERS[name](np.random.default_rng(3), (4, 3), 4, 3, np.float32)
    np.testing.assert_array_equal(network.state()["0.dense.W"], expected)


def test_zeros_are_zero() -> None:
    assert not zeros(np.random.default_rng(0), (3, 4), 3, 4, np.float32).any()


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_initializer_gives_the_requested_shape_and_dtype_and_is_repeatable(
    name: str, dtype: type[np.floating]
) -> None:
    first, second = (INITIALIZERS[name](np.random.default_rng(3), (5, 6), 5, 6, dtype) for _ in range(2))
    assert first.shape == (5, 6)
    assert first.dtype == dtype
    np.testing.assert_array_equal(first, second)
