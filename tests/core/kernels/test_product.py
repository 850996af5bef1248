"""Products in slices: the same matrices for all sizes, in one call to NumPy or two."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.inference.compiled import Compiled
from core.kernels.product import product, product_steps, slicing
from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.train.shards import Shards
from tests.core.inference.test_compiled import a_trained_network
from tests.floats import assert_same_function

MOST = 10**6  # m·k·n of a product for which OpenBLAS has the faster kernels


def matrices(m: int, k: int, n: int, dtype: Any = np.float32) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(m)
    a, b = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n)))
    return a, b, np.full((m, n), np.nan, dtype)


@settings(deadline=None, max_examples=60)
@given(m=st.integers(0, 400), k=st.integers(0, 300), n=st.integers(1, 300))
@example(m=64, k=784, n=128)
@example(m=65, k=784, n=128)
@example(m=400, k=300, n=830)
@example(m=400, k=300, n=840)
def test_slices_put_together_are_the_product(m: int, k: int, n: int) -> None:
    a, b, out = matrices(m, k, n)
    with slicing(True):
        assert product(a, b, out) is out
    assert_same_function(out, a @ b, terms=k, scale=float(k))
    again = np.full_like(out, np.nan)
    with slicing(True):
        steps = product_steps(a, b, again)
    for step in steps:
        step()
    np.testing.assert_array_equal(again, out)


def test_an_invalid_operation_that_a_product_reports_fails_no_test() -> None:
    """On AVX-512 it may be one whose result is not used; the reason stands beside the filter in pyproject.toml."""
    a, b, out = matrices(2, 5, 1)
    a[0, 0], b[0, 0] = np.inf, 0  # inf · 0: the same report, wherever the test runs
    assert np.isnan(product(a, b, out)[0, 0])


@pytest.mark.parametrize(("m", "k", "n"), [(64, 784, 128), (1000, 784, 128), (6144, 51, 48), (2049, 241, 32)])
def test_slices_are_small_even_and_as_few_as_that_allows(m: int, k: int, n: int) -> None:
    a, b, out = matrices(m, k, n)
    with slicing(True):
        (x, *_), *rest = [step.args for step in product_steps(a, b, out)]
    slices, rows, _ = x.shape
    assert rows * k * n <= MOST
    assert rows % 8 == 0
    assert slices <= -(-m // (MOST // (k * n) // 8 * 8))
    assert sum(args[0].shape[0] for args in rest) == m - slices * rows < rows


@pytest.mark.parametrize(
    ("m", "k", "n", "dtype"),
    [
        pytest.param(9, 784, 128, np.float32, id="small as it is"),
        pytest.param(64, 784, 1024, np.float32, id="a row alone is large"),
        pytest.param(64, 784, 128, np.float64, id="of doubles"),
    ],
)
def test_a_product_that_gains_nothing_from_slices_is_computed_whole(m: int, k: int, n: int, dtype: Any) -> None:
    a, b, out = matrices(m, k, n, dtype)
    with slicing(True):
        (step,) = product_steps(a, b, out)
    assert step.args[0] is a


def test_products_are_whole_unless_slicing_is_on() -> None:
    a, b, out = matrices(64, 784, 128)
    assert product_steps(a, b, out)[0].args[0] is a
    with slicing(True), slicing(False):
        assert product_steps(a, b, out)[0].args[0] is a
    assert product_steps(a, b, out)[0].args[0] is a


def test_a_transposed_matrix_is_sliced_too() -> None:
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal(shape).astype(np.float32) for shape in ((32, 784), (32, 128)))
    dw = np.empty((784, 128), np.float32)
    with slicing(True):
        assert len(product_steps(x.T, dy, dw)) == 2
        product(x.T, dy, dw)
    assert_same_function(dw, x.T @ dy, terms=32, scale=32.0)


def wide_network() -> Sequential:
    layers = [
        {"kind": "conv2d", "channels": 16, "kernel": 5},
        {"kind": "conv2d", "channels": 16, "kernel": 3, "padding": "same"},
        {"kind": "flatten"},
        {"kind": "dense", "units": 32},
    ]
    return build((16, 16, 3), layers, rng=np.random.default_rng(0))


def test_a_network_computed_in_slices_agrees_with_one_computed_whole() -> None:
    x = np.random.default_rng(1).standard_normal((40, 16, 16, 3)).astype(np.float32)
    dy = np.random.default_rng(2).standard_normal((40, 32)).astype(np.float32)
    results = []
    for on in (False, True):
        network = wide_network()
        with slicing(on):
            y = network.forward(x, training=True).copy()
            network.backward(dy)
            used = network.forward(x).copy()
        compiled = Compiled(wide_network(), x, sliced=on)
        stacks = [step.args[0].ndim == 3 for step in compiled.steps if getattr(step, "func", None) is np.matmul]
        assert any(stacks) is on
        np.testing.assert_array_equal(compiled.forward(), used)
        results.append((y, network.vector.grad))
    for whole, sliced in zip(*results, strict=True):
        assert_same_function(sliced, whole, terms=40 * 12 * 12 + 12 * 12 * 16)


def test_shards_inherit_the_slicing_of_their_caller() -> None:
    said = []

    class Listening(SoftmaxCrossEntropy):
        def forward(self, outputs: Any, targets: Any) -> float:
            a, b, out = matrices(64, 784, 128)
            said.append(len(product_steps(a, b, out)[0].args[0].shape) == 3)
            return super().forward(outputs, targets)

    x = np.zeros((8, 12, 12, 2), np.float32)
    with Shards(a_trained_network(), Listening, 2) as parts:
        for on in (True, False):
            with slicing(on):
                parts.gradients(x, np.zeros(8, np.intp))
    assert said == [True, True, False, False]
