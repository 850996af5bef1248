import numpy as np
import pytest

from core.nn.init import INITIALIZERS, he_normal, zeros


@pytest.mark.parametrize("fan_in", [9, 128, 784])
def test_he_normal_has_mean_zero_and_variance_two_over_fan_in(fan_in: int) -> None:
    count = 200_000
    weights = he_normal(np.random.default_rng(0), (count,), fan_in, 1, np.float64)
    std = np.sqrt(2 / fan_in)
    # The standard errors of a normal sample: std/√n of its mean, variance·√(2/n) of its variance. Five of them.
    assert abs(weights.mean()) < 5 * std / np.sqrt(count)
    assert abs(weights.var() - 2 / fan_in) < 5 * 2 / fan_in * np.sqrt(2 / count)


def test_he_normal_keeps_the_spread_of_signals_through_many_relu_layers() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 400))
    before = np.mean(x**2)
    for _ in range(10):
        x = np.maximum(x, 0) @ he_normal(rng, (400, 400), 400, 400, np.float64)
    assert 0.5 < np.mean(x**2) / before < 2


def test_zeros_are_zero() -> None:
    assert not zeros(np.random.default_rng(0), (3, 4), 3, 4, np.float32).any()


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_initializer_gives_the_shape_and_type_asked_for_and_repeats_from_its_seed(
    name: str, dtype: type[np.floating]
) -> None:
    first, second = (INITIALIZERS[name](np.random.default_rng(3), (5, 6), 5, 6, dtype) for _ in range(2))
    assert first.shape == (5, 6)
    assert first.dtype == dtype
    np.testing.assert_array_equal(first, second)
