from math import erf, exp, sqrt, tanh
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.nn.activation import GELU, Activation, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from tests.floats import assert_close, assert_same_function, by_hand

ELEMENTWISE = [ReLU, LeakyReLU, Sigmoid, Tanh, GELU, SiLU]
FAR = [-1e4, -700.0, -100.0, -20.0, 0.0, 20.0, 100.0, 700.0, 1e4]


def applied(kind: type[Activation], x: NDArray[Any], **options: float) -> NDArray[Any]:
    return kind(x.shape[1:], dtype=x.dtype, **options).forward(x)


def slopes(kind: type[Activation], x: NDArray[Any], **options: float) -> NDArray[Any]:
    layer = kind(x.shape[1:], dtype=x.dtype, **options)
    layer.forward(x, training=True)
    dx = layer.backward(np.ones_like(x))
    assert dx is not None
    return dx


ELEMENTARY = "NumPy's exp and tanh, and Python's, are not rounded alike"


@pytest.mark.parametrize(
    ("kind", "f"),
    [
        (ReLU, lambda x: max(x, 0.0)),
        (LeakyReLU, lambda x: x if x > 0 else 0.01 * x),
        (Sigmoid, lambda x: 1 / (1 + exp(-x))),
        (Tanh, tanh),
        (GELU, lambda x: 0.5 * x * (1 + tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        (SiLU, lambda x: x / (1 + exp(-x))),
    ],
)
def test_an_activation_gives_the_values_of_its_formula(kind: type[Activation], f: Any) -> None:
    x = np.linspace(-8, 8, 101).reshape(1, -1)
    assert_close(applied(kind, x)[0], [f(value) for value in x[0].tolist()], rel=1e-12, abs=1e-15, why=ELEMENTARY)


def test_gelu_differs_from_its_exact_form_by_less_than_documented() -> None:
    x = np.linspace(-8, 8, 10_001).reshape(1, -1)
    exact = np.array([value * 0.5 * (1 + erf(value / sqrt(2))) for value in x[0].tolist()])
    assert 1e-4 < np.abs(applied(GELU, x)[0] - exact).max() < 5e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [*ELEMENTWISE, Softmax])
def test_large_inputs_overflow_in_no_activation(kind: type[Activation], dtype: type[np.floating]) -> None:
    x = np.array([FAR], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(applied(kind, x)).all()
        assert np.isfinite(slopes(kind, x)).all()


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(Sigmoid, (0, 0), (1, 0)), (Tanh, (-1, 0), (1, 0)), (GELU, (0, 0), (1e4, 1)), (SiLU, (0, 0), (1e4, 1))],
)
def test_for_large_inputs_activations_and_slopes_reach_their_limits(
    kind: type[Activation], low: tuple[float, float], high: tuple[float, float]
) -> None:
    x = np.array([[-1e4, 1e4]], np.float32)
    assert list(zip(applied(kind, x)[0].tolist(), slopes(kind, x)[0].tolist(), strict=True)) == [low, high]


@pytest.mark.parametrize(
    ("kind", "slope"), [(ReLU, 0.0), (LeakyReLU, 0.25), (Sigmoid, 0.25), (Tanh, 1.0), (GELU, 0.5), (SiLU, 0.5)]
)
def test_the_slope_at_zero_is_the_documented_one(kind: type[Activation], slope: float) -> None:
    options = {"slope": 0.25} if kind is LeakyReLU else {}
    assert slopes(kind, np.zeros((1, 1)), **options).item() == by_hand(slope)


def test_leaky_relu_with_slope_zero_is_relu() -> None:
    x = np.random.default_rng(0).standard_normal((5, 6))
    np.testing.assert_array_equal(applied(LeakyReLU, x, slope=0), applied(ReLU, x))
    np.testing.assert_array_equal(slopes(LeakyReLU, x, slope=0), slopes(ReLU, x))


@pytest.mark.parametrize("kind", ELEMENTWISE)
def test_nan_inputs_give_nan_outputs(kind: type[Activation]) -> None:
    assert np.isnan(applied(kind, np.array([[np.nan, 1.0]]))[0]).tolist() == [True, False]


@settings(deadline=None, max_examples=50)
@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_softmax_backward_is_the_product_with_its_jacobian(shape: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal(shape), rng.standard_normal(shape)
    layer = Softmax(tuple(shape[1:]), dtype=np.float64)
    y = layer.forward(x, training=True)
    assert_close(y, np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True), rel=1e-12, why=ELEMENTARY)
    dx = layer.backward(dy)
    assert dx is not None
    for index in np.ndindex(*shape[:-1]):
        p = y[index]
        jacobian = np.diag(p) - np.outer(p, p)
        assert_same_function(dx[index], jacobian.T @ dy[index], terms=10, scale=float(np.abs(dy[index]).max()))
