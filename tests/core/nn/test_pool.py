"""Pooling against its references in loops, and at ties, at edges and at left-over pixels."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArchitectureError
from core.nn.architectures import build
from core.nn.layer import Layer
from core.nn.pool import AvgPool2D, GlobalAvgPool, MaxPool2D
from tests.core.nn import naive
from tests.floats import assert_same_function, by_hand


def backward(layer: Layer, x: Any, dy: Any) -> tuple[Any, Any]:
    y = layer.forward(x, training=True).copy()
    dx = layer.backward(dy)
    assert dx is not None
    return y, dx.copy()


sizes = st.integers(1, 8)
some_pools = given(
    shape=st.tuples(sizes, sizes, st.integers(1, 3)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.one_of(st.none(), st.tuples(st.integers(1, 4), st.integers(1, 4))),
    padding=st.sampled_from(["valid", "same"]),
    seed=st.integers(0, 2**32 - 1),
)


def fitting(shape: Any, kernel: Any, padding: str) -> str:
    return padding if kernel[0] <= shape[0] and kernel[1] <= shape[1] else "same"


def pool_of(kind: Any, shape: Any, kernel: Any, stride: Any, padding: str) -> Any:
    return kind(
        shape, kernel=list(kernel), stride=None if stride is None else list(stride), padding=padding, dtype=np.float64
    )


@settings(deadline=None, max_examples=100)
@some_pools
def test_maxpool_with_many_ties_agrees_with_the_loops(
    shape: Any, kernel: Any, stride: Any, padding: str, seed: int
) -> None:
    padding = fitting(shape, kernel, padding)
    layer, rng = pool_of(MaxPool2D, shape, kernel, stride, padding), np.random.default_rng(seed)
    x = rng.integers(-2, 2, (2, *shape)).astype(float)
    dy = rng.standard_normal((2, *layer.output_shape))
    step = stride or kernel
    framed = naive.frame(x, kernel, step, -np.inf) if padding == "same" else x
    expected = naive.maxpool_backward(framed, dy, kernel, step)
    y, dx = backward(layer, x, dy)
    np.testing.assert_array_equal(y, naive.maxpool(framed, kernel, step))
    assert_same_function(
        dx, naive.unframe(expected, x, kernel, step) if padding == "same" else expected, terms=25, scale=20.0
    )


@settings(deadline=None, max_examples=100)
@some_pools
def test_avgpool_agrees_with_the_loops(shape: Any, kernel: Any, stride: Any, padding: str, seed: int) -> None:
    padding = fitting(shape, kernel, padding)
    layer, rng = pool_of(AvgPool2D, shape, kernel, stride, padding), np.random.default_rng(seed)
    x, step = rng.standard_normal((2, *shape)), stride or kernel
    dy = rng.standard_normal((2, *layer.output_shape))
    framed, real = (naive.frame(a, kernel, step) if padding == "same" else a for a in (x, np.ones_like(x)))
    expected = naive.avgpool_backward(real, dy, kernel, step)
    y, dx = backward(layer, x, dy)
    assert_same_function(y, naive.avgpool(framed, real, kernel, step), terms=25, scale=20.0)
    assert_same_function(
        dx, naive.unframe(expected, x, kernel, step) if padding == "same" else expected, terms=25, scale=20.0
    )


def test_among_equal_pixels_the_first_in_row_order_takes_the_gradient() -> None:
    layer = MaxPool2D((4, 4, 1), dtype=np.float64)
    x = np.array([[7, 7, 1, 2], [7, 7, 2, 1], [0, 3, 0, 0], [3, 0, 0, 0]], float).reshape(1, 4, 4, 1)
    _, dx = backward(layer, x, np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1))
    assert dx[0, :, :, 0].tolist() == [[1, 0, 0, 2], [0, 0, 0, 0], [0, 3, 4, 0], [0, 0, 0, 0]]


def test_a_pixel_that_wins_in_two_windows_takes_both_gradients() -> None:
    layer = MaxPool2D((1, 3, 1), kernel=[1, 2], stride=1, dtype=np.float64)
    _, dx = backward(layer, np.array([0.0, 9.0, 0.0]).reshape(1, 1, 3, 1), np.array([1.0, 2.0]).reshape(1, 1, 2, 1))
    assert dx.ravel().tolist() == [0, 3, 0]


def test_padding_never_wins_even_where_all_pixels_are_negative() -> None:
    layer = MaxPool2D((3, 3, 1), kernel=2, padding="same", dtype=np.float64)
    assert layer.forward(np.full((1, 3, 3, 1), -5.0)).tolist() == np.full((1, 2, 2, 1), -5.0).tolist()


def test_padding_does_not_dilute_a_mean() -> None:
    layer = AvgPool2D((3, 3, 1), kernel=2, padding="same", dtype=np.float64)
    assert layer.forward(np.full((1, 3, 3, 1), 6.0)).tolist() == np.full((1, 2, 2, 1), 6.0).tolist()


@pytest.mark.parametrize("kind", [MaxPool2D, AvgPool2D])
def test_pixels_that_no_window_reaches_get_no_gradient(kind: Any) -> None:
    layer = kind((5, 7, 2), dtype=np.float64)
    layer.scratch("dx", (3, 5, 7, 2)).fill(np.nan)  # what an earlier step may have left there
    _, dx = backward(layer, np.ones((3, 5, 7, 2)), np.ones((3, 2, 3, 2)))
    assert layer.output_shape == (2, 3, 2)
    assert not dx[:, 4].any()
    assert not dx[:, :, 6].any()
    assert dx.sum() == by_hand(3 * 2 * 3 * 2)


def test_global_pooling_is_the_mean_of_each_channel() -> None:
    rng = np.random.default_rng(0)
    layer, x, dy = GlobalAvgPool((4, 5, 3), dtype=np.float64), rng.standard_normal((2, 4, 5, 3)), np.ones((2, 3))
    y, dx = backward(layer, x, dy)
    assert_same_function(y, [[image[:, :, c].sum() / 20 for c in range(3)] for image in x], terms=20, scale=1.0)
    assert_same_function(dx, np.full(x.shape, 1 / 20), terms=1)


@pytest.mark.parametrize("layer", [MaxPool2D((4, 4, 1)), AvgPool2D((4, 4, 1)), GlobalAvgPool((4, 4, 1))])
def test_no_dx_is_computed_where_none_is_needed(layer: Layer) -> None:
    layer.forward(np.ones((2, 4, 4, 1), np.float32), training=True)
    assert layer.backward(np.ones((2, *layer.output_shape), np.float32), need_dx=False) is None


@pytest.mark.parametrize("options", [{}, {"kernel": 3, "stride": 2, "padding": "same"}])
@pytest.mark.parametrize("kind", [MaxPool2D, AvgPool2D, GlobalAvgPool])
def test_a_step_allocates_next_to_nothing_and_keeps_the_type(kind: Any, options: dict[str, Any]) -> None:
    layer = kind((24, 24, 8), **({} if kind is GlobalAvgPool else options))
    x = np.ones((64, 24, 24, 8), np.float32)
    dy = np.ones((64, *layer.output_shape), np.float32)

    def step() -> set[Any]:
        y, dx = layer.forward(x, training=True), layer.backward(dy)
        return {y.dtype, dx.dtype}

    assert step() == {np.dtype(np.float32)}  # makes the scratch arrays
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 128_000  # NumPy's own buffers for casts; one activation is over a million


@pytest.mark.parametrize("kind", [MaxPool2D, AvgPool2D])
def test_a_shorter_batch_is_computed_as_if_it_were_alone(kind: Any) -> None:
    used, fresh = (kind((7, 7, 3), kernel=3, stride=2, padding="same") for _ in range(2))
    rng = np.random.default_rng(0)
    many, few = (rng.standard_normal((n, 7, 7, 3)).astype(np.float32) for n in (20, 3))
    backward(used, many, np.ones((20, 4, 4, 3), np.float32))
    for found, expected in zip(
        backward(used, few, np.ones((3, 4, 4, 3), np.float32)),
        backward(fresh, few, np.ones((3, 4, 4, 3), np.float32)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("entry", "shape", "message"),
    [
        ({"kind": "maxpool2d"}, (28, 28), r"maxpool2d: input of shape \(28, 28\)"),
        ({"kind": "avgpool2d", "kernel": 9}, (8, 8, 1), "avgpool2d: a kernel of 9×9 does not fit into 8×8"),
        ({"kind": "maxpool2d", "kernel": 0}, (8, 8, 1), "maxpool2d: kernel = 0"),
        ({"kind": "maxpool2d", "stride": -1}, (8, 8, 1), "maxpool2d: stride = -1"),
        ({"kind": "maxpool2d", "size": 2}, (8, 8, 1), "maxpool2d: unknown option size; known: kernel, stride, padding"),
        ({"kind": "globalavgpool"}, (784,), r"globalavgpool: input of shape \(784,\)"),
    ],
)
def test_impossible_options_are_refused(entry: dict[str, Any], shape: Any, message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"layer 0: {message}"):
        build(shape, [entry], rng=np.random.default_rng(0))
