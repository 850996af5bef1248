"""Convolution against its reference in loops, against finite differences, and against itself in other layouts."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArchitectureError
from core.kernels.arrays import Scratch
from core.kernels.bands import Bands
from core.kernels.plan import Plan
from core.nn.architectures import build
from core.nn.conv import Conv2D
from tests.core.nn import naive
from tests.floats import assert_same_function, close

H = 1e-5
"""Convolution is linear in x and in W: the difference quotient has no error but rounding."""


def layer_of(shape: tuple[int, int, int], dtype: Any = np.float64, seed: int = 0, **options: Any) -> Conv2D:
    rng = np.random.default_rng(seed)
    layer = Conv2D(shape, rng=rng, dtype=dtype, **options)
    layer.b.value[...] = rng.standard_normal(layer.b.value.shape)
    return layer


def pictures(layer: Conv2D, count: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).standard_normal((count, *layer.input_shape)).astype(layer.dtype)


def gradient_of(layer: Conv2D, count: int, seed: int = 2) -> Any:
    return np.random.default_rng(seed).standard_normal((count, *layer.output_shape)).astype(layer.dtype)


def results(layer: Conv2D, x: Any, dy: Any) -> list[Any]:
    """y, dW, db, dx, copied."""
    y = layer.forward(x, training=True).copy()
    dx = layer.backward(dy)
    assert dx is not None
    return [y, layer.W.grad.copy(), layer.b.grad.copy(), dx.copy()]


def assert_same(found: list[Any], expected: list[Any], sums: list[Any], terms: int) -> None:
    """The same y, dW, db and dx.

    `sums` are theirs for the magnitudes of all numbers, Σ|xᵢ||wᵢ|: the sums themselves may almost cancel, and what
    rounding leaves does not. `terms` is the length of the longest of them.
    """
    for name, one, other, size in zip(("y", "dW", "db", "dx"), found, expected, sums, strict=True):
        assert_same_function(one, other, terms=terms, scale=float(size.max(initial=0)), message=name)


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def plans(layer: Conv2D) -> list[Plan]:
    """Every layout in which this convolution can be computed: each tile, and both ways back."""
    rows, columns = layer.plan.ahead.rows, layer.plan.ahead.columns
    inputs, outputs = layer.input_shape[2], layer.output_shape[2]
    over_x = [Bands(rows, columns, inputs, outputs, tile) for tile in divisors(columns.outputs)]
    found = [Plan(bands, bands, mirrored=False) for bands in over_x]
    if rows.stride == columns.stride == 1:
        for tile in divisors(columns.size):
            back = Bands(rows.mirrored, columns.mirrored, outputs, inputs, tile, bias=False)
            found.append(Plan(over_x[0], back, mirrored=True))
    return found


sizes = st.integers(1, 7)
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
some_convolutions = given(
    shape=st.tuples(sizes, sizes, st.integers(1, 3)),
    channels=st.integers(1, 3),
    kernel=pairs,
    stride=st.one_of(st.just((1, 1)), st.tuples(st.integers(1, 3), st.integers(1, 3))),
    padding=st.sampled_from(["valid", "same"]),
    count=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)


def conv_of(shape: Any, kernel: Any, padding: str, dtype: Any = np.float64, **options: Any) -> Conv2D:
    """With padding "same" where the kernel would not fit otherwise."""
    return layer_of(shape, dtype, kernel=list(kernel), padding=fitting(shape, kernel, padding), **options)


def fitting(shape: Any, kernel: Any, padding: str) -> str:
    return padding if kernel[0] <= shape[0] and kernel[1] <= shape[1] else "same"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@settings(deadline=None, max_examples=60)
@some_convolutions
def test_every_layout_agrees_with_the_loops(
    dtype: Any,
    shape: Any,
    channels: int,
    kernel: Any,
    stride: Any,
    padding: str,
    count: int,
    seed: int,
) -> None:
    layer = conv_of(shape, kernel, padding, dtype, channels=channels, stride=list(stride), seed=seed)
    x, dy = pictures(layer, count, seed), gradient_of(layer, count, seed + 1)
    padding = fitting(shape, kernel, padding)

    framed = naive.frame(x.astype(float), kernel, stride) if padding == "same" else x.astype(float)
    w, b, dy_ = layer.W.value.astype(float), layer.b.value.astype(float), dy.astype(float)
    y = naive.conv(framed, w, b, stride)
    dw, db, d_framed = naive.conv_backward(framed, w, dy_, stride)
    dx = naive.unframe(d_framed, x, kernel, stride) if padding == "same" else d_framed
    sums = naive.conv(abs(framed), abs(w), abs(b), stride), *naive.conv_backward(abs(framed), abs(w), abs(dy_), stride)

    terms = max(w.size, y[..., 0].size)  # of y and dx, and of dw and db
    assert_same(results(layer, x, dy), [y, dw, db, dx], list(sums), terms)
    for plan in plans(layer):
        layer.plan, layer.scratch = plan, Scratch(layer.dtype)
        assert_same(results(layer, x, dy), [y, dw, db, dx], list(sums), terms)


@settings(deadline=None, max_examples=60)
@some_convolutions
def test_the_backward_pass_is_the_slope_of_the_forward_pass(
    shape: Any, channels: int, kernel: Any, stride: Any, padding: str, count: int, seed: int
) -> None:
    layer = conv_of(shape, kernel, padding, channels=channels, stride=list(stride), seed=seed)
    rng = np.random.default_rng(seed)
    x, dy = pictures(layer, count, seed), gradient_of(layer, count, seed + 1)
    _, dw, db, dx = results(layer, x, dy)

    for point, gradient in ((x, dx), (layer.W.value, dw), (layer.b.value, db)):
        v, kept, values = rng.standard_normal(point.shape), point.copy(), []
        for side in (H, -H):
            point[...] = kept + side * v
            values.append(float(np.sum(dy * layer.forward(x))))
        point[...] = kept
        slope, said = (values[0] - values[1]) / (2 * H), float(np.sum(gradient * v))
        # Against the size of what is added up: the slope itself may be near zero by chance.
        assert abs(slope - said) < 1e-6 * max(1.0, float(np.sum(np.abs(gradient * v))))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((28, 28, 1), {"channels": 8, "kernel": 5}),
        ((12, 12, 8), {"channels": 16, "kernel": 5}),
        ((28, 28, 16), {"channels": 16, "kernel": 3, "padding": "same"}),
        ((14, 14, 16), {"channels": 32, "kernel": 3, "padding": "same", "stride": 2}),
    ],
)
def test_at_real_sizes_it_agrees_with_im2col(dtype: Any, shape: tuple[int, int, int], options: dict[str, Any]) -> None:
    layer = layer_of(shape, dtype, **options)
    x, dy = pictures(layer, 9), gradient_of(layer, 9)  # more than fit into one chunk, in some
    kernel, stride = (options["kernel"],) * 2, (options.get("stride", 1),) * 2
    same = options.get("padding") == "same"
    framed = naive.frame(x, kernel, stride) if same else x
    numbers = [array.astype(float) for array in (framed, layer.W.value, layer.b.value, dy)]
    y, dw, db, d_framed = naive.conv_by_patches(*numbers, stride)
    dx = naive.unframe(d_framed, x, kernel, stride) if same else d_framed
    sums = naive.conv_by_patches(*map(abs, numbers), stride)
    assert_same(results(layer, x, dy), [y, dw, db, dx], list(sums), terms=9 * y[0, :, :, 0].size)


def test_the_two_references_agree() -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((2, 6, 7, 3)), rng.standard_normal((3, 2, 3, 4)), rng.standard_normal(4)
    dy = rng.standard_normal((2, 2, 6, 4))
    loops = [naive.conv(x, w, b, (2, 1)), *naive.conv_backward(x, w, dy, (2, 1))]
    sums = naive.conv_by_patches(abs(x), abs(w), abs(b), abs(dy), (2, 1))
    assert_same(list(naive.conv_by_patches(x, w, b, dy, (2, 1))), loops, list(sums), terms=24)


def test_a_kernel_of_one_pixel_is_a_dense_layer_on_every_pixel() -> None:
    layer = layer_of((4, 5, 3), channels=2, kernel=1)
    x = pictures(layer, 2)
    assert_same_function(layer.forward(x), x @ layer.W.value[0, 0] + layer.b.value, terms=4)


def test_an_edge_detector_finds_the_edge() -> None:
    layer = layer_of((3, 6, 1), channels=1, kernel=[1, 2])
    layer.W.value[...] = np.reshape([-1, 1], layer.W.value.shape)
    layer.b.value[...] = 0
    x = np.zeros((1, 3, 6, 1))
    x[:, :, 3:] = 5
    assert layer.forward(x)[0, :, :, 0].tolist() == [[0, 0, 5, 0, 0]] * 3


@pytest.mark.parametrize("options", [{"kernel": 3}, {"kernel": 3, "padding": "same"}, {"kernel": 2, "stride": 2}])
def test_without_dx_the_parameters_gradients_are_the_same(options: dict[str, Any]) -> None:
    layer = layer_of((8, 8, 2), channels=3, **options)
    x, dy = pictures(layer, 4), gradient_of(layer, 4)
    _, dw, db, _ = results(layer, x, dy)
    layer.W.grad[...] = layer.b.grad[...] = 0
    assert layer.backward(dy, need_dx=False) is None
    assert_same_function(layer.W.grad, dw, terms=256)
    assert_same_function(layer.b.grad, db, terms=256)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_input_and_gradient_may_have_any_strides_and_are_left_unchanged(padding: str) -> None:
    layer = layer_of((6, 8, 2), channels=3, kernel=3, padding=padding)
    x, dy = pictures(layer, 4), gradient_of(layer, 4)
    expected = results(layer, x, dy)
    wide = np.repeat(x, 2, axis=2)[:, :, ::2]
    turned = np.ascontiguousarray(dy.transpose(3, 1, 2, 0)).transpose(3, 1, 2, 0)
    kept = wide.copy(), turned.copy()
    framed = naive.frame(x, (3, 3), (1, 1)) if padding == "same" else x
    sums = naive.conv_by_patches(abs(framed), abs(layer.W.value), abs(layer.b.value), abs(dy), (1, 1))
    for plan in plans(layer):
        layer.plan, layer.scratch = plan, Scratch(layer.dtype)
        assert_same(results(layer, wide, turned), expected, list(sums), terms=192)
    np.testing.assert_array_equal(wide, kept[0])
    np.testing.assert_array_equal(turned, kept[1])


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_shorter_batch_is_computed_as_if_it_were_alone(padding: str) -> None:
    used, fresh = (layer_of((8, 8, 2), np.float32, channels=3, kernel=3, padding=padding) for _ in range(2))
    results(used, pictures(used, 32, seed=6), gradient_of(used, 32, seed=7))
    x, dy = pictures(used, 5), gradient_of(used, 5)
    for found, expected in zip(results(used, x, dy), results(fresh, x, dy), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_no_picture_gives_no_output_and_zero_gradients() -> None:
    layer = layer_of((6, 6, 2), channels=3, kernel=3)
    y, dw, db, dx = results(layer, pictures(layer, 0), gradient_of(layer, 0))
    assert (len(y), len(dx)) == (0, 0)
    assert not dw.any()
    assert not db.any()


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((28, 28, 1), {"channels": 8, "kernel": 5}),
        ((12, 12, 8), {"channels": 16, "kernel": 5}),
        ((14, 14, 16), {"channels": 32, "kernel": 3, "padding": "same"}),
    ],
)
def test_a_step_allocates_next_to_nothing(shape: tuple[int, int, int], options: dict[str, Any]) -> None:
    layer = layer_of(shape, np.float32, **options)
    x, dy = pictures(layer, 256), gradient_of(layer, 256)

    def step() -> None:
        layer.forward(x, training=True)
        layer.backward(dy)

    step()  # makes the scratch arrays
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000  # NumPy's own buffers, which do not grow with the batch; an activation is a megabyte or more


def test_a_replica_shares_parameters_and_no_scratch() -> None:
    layer = layer_of((8, 8, 2), channels=3, kernel=3)
    replica, x = layer.replica(), pictures(layer, 4)
    y = layer.forward(x)
    kept = y.copy()
    replica.forward(pictures(layer, 4, seed=9))
    np.testing.assert_array_equal(y, kept)
    layer.W.value *= 2
    np.testing.assert_array_equal(layer.forward(x), replica.forward(x))


# options


@pytest.mark.parametrize("stride", [1, [2, 1]])
def test_a_recipe_builds_it_as_conv2d(stride: Any) -> None:
    layers = [{"kind": "conv2d", "channels": 4, "kernel": [3, 2], "stride": stride, "padding": "same"}]
    network = build((7, 6, 2), layers, rng=np.random.default_rng(0))
    assert network.output_shape == (7 if stride == 1 else 4, 6, 4)
    assert {name: p.value.shape for name, p in network.parameters.items()} == {
        "0.conv2d.W": (3, 2, 2, 4),
        "0.conv2d.b": (4,),
    }


def test_weights_start_with_the_variance_for_their_fan_in() -> None:
    layer = layer_of((28, 28, 16), channels=64, kernel=5)
    assert layer.W.value.std() == close(np.sqrt(2 / (5 * 5 * 16)), rel=0.02, why="a sample of 25,600")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": 3}, "option channels is missing"),
        ({"channels": 4}, "option kernel is missing"),
        ({"channels": 0, "kernel": 3}, "channels = 0, expected a whole number of at least 1"),
        ({"channels": 2.5, "kernel": 3}, "channels = 2.5"),
        ({"channels": "8", "kernel": 3}, "channels = '8'"),
        ({"channels": True, "kernel": 3}, "channels = True"),
        ({"channels": 10**15, "kernel": 3}, "allocate"),
        ({"channels": 4, "kernel": 9}, "a kernel of 9×9 does not fit into 8×8"),
        ({"channels": 4, "kernel": 3, "init": "xavier!"}, "unknown init 'xavier!'; known: he_normal"),
        ({"channels": 4, "kernel": 3, "dilation": 2}, "unknown option dilation; known: channels, kernel, stride"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArchitectureError, match=f"layer 0: .*{message}"):
        build((8, 8, 1), [{"kind": "conv2d", **options}], rng=np.random.default_rng(0))


@pytest.mark.parametrize("name", ["W", "b"])
def test_weights_changed_between_two_calls_take_effect(name: str) -> None:
    rng = np.random.default_rng(0)
    layer = Conv2D((6, 6, 2), channels=3, kernel=3, padding="same", rng=rng, dtype=np.float64)
    x = rng.standard_normal((2, 6, 6, 2))
    before = layer.forward(x).copy()
    layer.parameters[name].value.flat[0] += 1
    after = layer.forward(x).copy()
    fresh = layer.replica()
    np.testing.assert_array_equal(after, fresh.forward(x))
    assert not np.array_equal(after, before)


@pytest.mark.parametrize("need_dx", [False, True])
@pytest.mark.parametrize("options", [{"kernel": 3}, {"kernel": 5, "padding": "same"}, {"kernel": 2, "stride": 2}])
def test_kept_patches_give_the_same_bits_as_patches_copied_again(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], need_dx: bool
) -> None:
    monkeypatch.setattr("core.kernels.convolution._CHUNK_BYTES", 1 << 14)  # a few pictures
    gradients = []
    for kept in (1 << 22, 0):
        monkeypatch.setattr("core.kernels.convolution._KEPT_BYTES", kept)
        layer = Conv2D((12, 12, 2), channels=3, rng=np.random.default_rng(0), **options)
        rng = np.random.default_rng(1)
        for count in (20, 7, 20, 1):
            y = layer.forward(rng.standard_normal((count, 12, 12, 2)).astype(np.float32), training=True)
            dx = layer.backward(rng.standard_normal(y.shape).astype(np.float32), need_dx=need_dx)
            gradients.append([layer.W.grad.copy(), layer.b.grad.copy(), None if dx is None else dx.copy()])
    for found, expected in zip(gradients[:4], gradients[4:], strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
