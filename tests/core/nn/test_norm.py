from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.nn.architectures import build
from core.nn.norm import BatchNorm
from core.nn.sequential import Sequential
from tests.floats import assert_close, close

Vector = list[float]


def in_loops(x: Vector, dy: Vector, gamma: float, beta: float, eps: float) -> tuple[Vector, Vector, float, float]:
    """One feature in loops over single numbers: y, dx, dgamma, dbeta.

    Its dx goes from step to step through the computation graph, as the original paper does (Ioffe & Szegedy 2015, §3).
    """
    m = len(x)
    mean = sum(x) / m
    variance = sum((value - mean) ** 2 for value in x) / m
    normalized = [(value - mean) / sqrt(variance + eps) for value in x]
    y = [gamma * value + beta for value in normalized]

    dnormalized = [d * gamma for d in dy]
    dvariance = sum(d * (v - mean) for d, v in zip(dnormalized, x, strict=True)) * -0.5 * (variance + eps) ** -1.5
    dmean = -sum(dnormalized) / sqrt(variance + eps) + dvariance * sum(-2 * (v - mean) for v in x) / m
    dx = [
        d / sqrt(variance + eps) + dvariance * 2 * (v - mean) / m + dmean / m
        for d, v in zip(dnormalized, x, strict=True)
    ]
    return y, dx, sum(d * v for d, v in zip(dy, normalized, strict=True)), sum(dy)


def layer_of(shape: tuple[int, ...], dtype: Any = np.float64, **options: float) -> BatchNorm:
    return BatchNorm(shape, dtype=dtype, **options)


@settings(deadline=None, max_examples=60)
@given(
    shape=st.sampled_from([(1,), (2,), (5,), (1, 1, 1), (1, 1, 3), (2, 3, 1), (3, 2, 4), (2, 3)]),
    images=st.integers(1, 6),
    eps=st.sampled_from([1e-5, 1e-3, 0.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_fast_layer_agrees_with_its_plain_reference(
    shape: tuple[int, ...], images: int, eps: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = layer_of(shape, eps=eps)
    layer.gamma.value[...], layer.beta.value[...] = rng.standard_normal((2, shape[-1]))
    x, dy = rng.standard_normal((2, images, *shape))
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    assert dx is not None
    for c in range(shape[-1]):
        expected = in_loops(
            x[..., c].ravel().tolist(),
            dy[..., c].ravel().tolist(),
            float(layer.gamma.value[c]),
            float(layer.beta.value[c]),
            eps,
        )
        found = y[..., c].ravel(), dx[..., c].ravel(), layer.gamma.grad[c], layer.beta.grad[c]
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, rel=1e-9, abs=1e-9, why="of values all alike, 1/√eps³ is 3·10⁷: so are errors")


@pytest.mark.parametrize("shape", [(3,), (4, 5, 3)])
def test_in_training_each_output_feature_has_mean_beta_and_deviation_gamma(shape: tuple[int, ...]) -> None:
    x = 7 + 5 * np.random.default_rng(0).standard_normal((64, *shape)) * np.array([1, 10, 0.1])
    layer = layer_of(shape, eps=1e-12)
    layer.gamma.value[...], layer.beta.value[...] = [1, 2, 3], [0, -1, 5]
    y = layer.forward(x, training=True).reshape(-1, 3)
    assert_close(y.mean(axis=0), [0, -1, 5], abs=1e-10, why="eps, beside a variance of 0.25 and more")
    assert_close(y.std(axis=0), [1, 2, 3], rel=1e-9, why="eps, beside a variance of 0.25 and more")


def test_an_untrained_layer_in_use_is_the_identity() -> None:
    x = np.random.default_rng(0).standard_normal((8, 3))
    assert_close(layer_of((3,), eps=1e-12).forward(x), x, rel=1e-11, why="eps, beside a variance of 1")


def test_running_averages_worked_by_hand() -> None:
    # Batch 1 is (0, 2): mean 1, unbiased variance ((0−1)² + (2−1)²) / (2−1) = 2.
    # Batch 2 is (5, 11): mean 8, unbiased variance (9 + 9) / 1 = 18.
    # With momentum 3/4, from mean 0 and variance 1:
    #   mean      3/4·0 + 1/4·1 = 1/4        3/4·1/4 + 1/4·8  = 35/16
    #   variance  3/4·1 + 1/4·2 = 5/4        3/4·5/4 + 1/4·18 = 87/16
    layer = layer_of((1,), momentum=0.75)
    layer.forward(np.array([[0.0], [2.0]]), training=True)
    assert (layer.running_mean.item(), layer.running_var.item()) == (1 / 4, 5 / 4)
    layer.forward(np.array([[5.0], [11.0]]), training=True)
    assert (layer.running_mean.item(), layer.running_var.item()) == (35 / 16, 87 / 16)


def test_in_use_the_running_averages_are_applied_and_not_changed() -> None:
    layer = layer_of((2,), eps=1e-12)
    layer.running_mean[...], layer.running_var[...] = [1, -2], [4, 9]
    layer.gamma.value[...], layer.beta.value[...] = [1, 3], [0, 10]
    # (5 − 1)/2 = 2, 3·(1 + 2)/3 + 10 = 13;  (−1 − 1)/2 = −1, 3·(−2 + 2)/3 + 10 = 10
    found = layer.forward(np.array([[5.0, 1.0], [-1.0, -2.0]]))
    assert_close(found, [[2, 13], [-1, 10]], rel=1e-10, why="eps, beside variances of 4 and 9")
    assert layer.running_mean.tolist() == [1, -2]
    assert layer.running_var.tolist() == [4, 9]


def test_an_images_result_depends_on_its_batch_in_training_only() -> None:
    layer = layer_of((4,))
    x = np.random.default_rng(0).standard_normal((8, 4))
    whole, part = layer.forward(x, training=True)[:2].copy(), layer.forward(x[:2], training=True)
    assert np.abs(whole - part).max() > 0.1
    np.testing.assert_array_equal(layer.forward(x)[:2].copy(), layer.forward(x[:2]))


def test_after_many_batches_training_and_use_agree() -> None:
    rng, layer = np.random.default_rng(0), layer_of((2, 2, 3))
    for _ in range(100):
        layer.forward(5 + 2 * rng.standard_normal((500, 2, 2, 3)), training=True)
    x = 5 + 2 * rng.standard_normal((500, 2, 2, 3))
    assert_close(
        layer.forward(x).copy(), layer.forward(x, training=True), abs=0.1, why="the running average is of samples"
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_feature_that_never_changes_becomes_beta(dtype: Any) -> None:
    layer = layer_of((2,), dtype)
    layer.beta.value[...] = [3, 4]
    x = np.full((8, 2), 1e3, dtype)
    assert layer.forward(x, training=True).tolist() == [[3, 4]] * 8
    assert np.isfinite(layer.backward(np.ones_like(x))).all()


def test_a_batch_of_one_row_becomes_beta_and_leaves_the_running_averages() -> None:
    layer = layer_of((3,))
    layer.beta.value[...] = [1, 2, 3]
    assert layer.forward(np.array([[9.0, -9.0, 0.0]]), training=True).tolist() == [[1, 2, 3]]
    dx = layer.backward(np.ones((1, 3)))
    assert dx is not None
    assert not dx.any()
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]


def test_the_deviation_of_large_numbers_survives_float32() -> None:
    # E[x²] − E[x]², the formula that needs one pass, would lose all digits here: x² is near 10⁸, the variance 1.
    x = (1e4 + np.random.default_rng(0).standard_normal((1000, 1))).astype(np.float32)
    y = layer_of((1,), np.float32).forward(x, training=True)
    assert y.std() == close(1, rel=1e-2, why="float32 has three digits left behind 10⁴")


# in a network


def network_of(seed: int = 0) -> Sequential:
    layers = [{"kind": "dense", "units": 5}, {"kind": "batch_norm"}, {"kind": "relu"}]
    return build((4,), layers, rng=np.random.default_rng(seed))


def trained(network: Sequential) -> NDArray[Any]:
    x = 3 + np.random.default_rng(1).standard_normal((16, 4)).astype(np.float32)
    network.forward(x, training=True)
    return x


def test_running_averages_are_saved_and_loaded_with_the_weights() -> None:
    source, target = network_of(0), network_of(1)
    x = trained(source)
    state = source.state()
    assert {"1.batch_norm.gamma", "1.batch_norm.beta", "1.batch_norm.running_mean", "1.batch_norm.running_var"} <= set(
        state
    )
    assert source.vector.value.size == 4 * 5 + 5 + 5 + 5, "an optimizer must not move the running averages"
    target.load_state(state)
    np.testing.assert_array_equal(source.forward(x), target.forward(x))


def test_a_replica_sees_what_the_original_learns_later() -> None:
    network = network_of()
    replica = network.replica()
    x = trained(network)
    network.vector.value *= 1.5
    np.testing.assert_array_equal(replica.forward(x), network.forward(x))
