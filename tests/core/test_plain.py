"""The first page, and the fast network held against it: the same numbers from formulas written out and from kernels."""

import ast
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import plain
from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD
from tests.floats import assert_close, close

ROOT = Path(plain.__file__).parents[1]

SUMS = "rounding errors of 1e-16 an operation, in sums of a few thousand numbers near 1, one layer after the other"
agree = partial(assert_close, rel=1e-10, abs=1e-10, why=SUMS)

LAYERS = {
    "dense": ((7,), {"kind": "dense", "units": 5}),
    "relu": ((3, 4), {"kind": "relu"}),
    "conv2d of one channel": ((9, 8, 1), {"kind": "conv2d", "channels": 3, "kernel": 3}),
    "conv2d of several channels": ((7, 11, 3), {"kind": "conv2d", "channels": 8, "kernel": 5}),
    "conv2d of single pixels": ((4, 4, 2), {"kind": "conv2d", "channels": 3, "kernel": 1}),
    "maxpool2d of an even picture": ((8, 6, 3), {"kind": "maxpool2d"}),
    "maxpool2d of an odd picture": ((7, 5, 8), {"kind": "maxpool2d"}),
}
CONVNET = [
    {"kind": "conv2d", "channels": 4, "kernel": 3},
    {"kind": "maxpool2d"},
    {"kind": "relu"},
    {"kind": "conv2d", "channels": 6, "kernel": 3},
    {"kind": "relu"},
    {"kind": "maxpool2d"},
    {"kind": "flatten"},
    {"kind": "dense", "units": 16},
    {"kind": "relu"},
    {"kind": "dense", "units": 10},
]


def written_out(network: Sequential) -> plain.Network:
    """The same network for `core.plain`, with copies of its parameters; there, a dense layer flattens by itself."""
    return [
        (layer.kind, {name: parameter.value.copy() for name, parameter in layer.parameters.items()})
        for layer in network.layers
        if layer.kind != "flatten"
    ]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize(("shape", "entry"), LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("images", [1, 3, 40])
def test_a_fast_layer_computes_what_the_plain_one_does(rng, shape, entry, images):
    network = build(shape, [entry], rng=rng, dtype=np.float64)
    [(kind, parameters)] = written_out(network)
    forward, backward = plain.LAYERS[kind]
    x = rng.normal(size=(images, *shape))
    y = network.forward(x, training=True)
    agree(y, forward(x, **parameters))
    dy = rng.normal(size=y.shape)
    dx = network.backward(dy, need_dx=True)
    plain_dx, gradients = backward(x, dy, **parameters)
    agree(dx, plain_dx)
    assert gradients.keys() == network.layers[0].parameters.keys()
    for name, gradient in gradients.items():
        agree(network.layers[0].parameters[name].grad, gradient)


def test_among_equal_numbers_of_a_window_both_choose_the_first(rng):
    x = rng.integers(0, 2, (5, 6, 6, 3)).astype(np.float64)
    dy = rng.normal(size=(5, 3, 3, 3))
    pool = build(x.shape[1:], [{"kind": "maxpool2d"}], rng=rng, dtype=np.float64)
    pool.forward(x, training=True)
    plain_dx, _ = plain.maxpool2d_backward(x, dy)
    np.testing.assert_array_equal(pool.backward(dy, need_dx=True), plain_dx)


@pytest.mark.parametrize("scale", [1.0, 1e3], ids=["logits near 0", "logits whose exp overflows"])
def test_the_fast_loss_is_the_plain_one(rng, scale):
    z, labels = scale * rng.normal(size=(40, 10)), rng.integers(0, 10, 40)
    loss = SoftmaxCrossEntropy()
    found = loss.forward(z, labels)
    with np.errstate(divide="ignore"):  # a probability may be 0 here, and its loss infinite; the fast one is finite
        plain_loss, plain_dz = plain.softmax_cross_entropy(z, labels)
    if np.isfinite(plain_loss):
        agree(found, plain_loss)
    agree(loss.backward(), plain_dz)


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ((784,), [{"kind": "dense", "units": 128}, {"kind": "relu"}, {"kind": "dense", "units": 10}]),
        ((14, 14, 1), CONVNET),
    ],
    ids=["784-128-10", "a convolutional network"],
)
def test_fast_training_takes_the_same_steps_as_plain_training(rng, shape, layers):
    network = build(shape, layers, rng=rng, dtype=np.float64)
    twin, loss, optimizer = written_out(network), SoftmaxCrossEntropy(), SGD()
    for _ in range(10):
        x, labels = rng.normal(size=(32, *shape)), rng.integers(0, 10, 32)
        found = loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.vector, 0.05)
        agree(found, plain.step(twin, x, labels, 0.05))
    for (_, found), (_, expected) in zip(written_out(network), twin, strict=True):
        for name, value in expected.items():
            agree(found[name], value)


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_a_fast_network_of_any_size_has_the_gradients_of_the_plain_one(images, inputs, hidden, classes, seed):
    rng = np.random.default_rng(seed)
    layers = [{"kind": "dense", "units": hidden}, {"kind": "relu"}, {"kind": "dense", "units": classes}]
    network, loss = build((inputs,), layers, rng=rng, dtype=np.float64), SoftmaxCrossEntropy()
    twin, x, labels = written_out(network), rng.normal(size=(images, inputs)), rng.integers(0, classes, images)
    found = loss.forward(network.forward(x, training=True), labels)
    network.backward(loss.backward(), need_dx=False)
    values = plain.forward(twin, x)
    expected, dz = plain.softmax_cross_entropy(values[-1], labels)
    agree(found, expected)
    for layer, gradients in zip(network.layers, plain.backward(twin, values, dz), strict=True):
        for name, gradient in gradients.items():
            agree(layer.parameters[name].grad, gradient)


@pytest.mark.parametrize("kind", plain.NETWORKS)
def test_the_gradients_on_the_page_are_the_slopes_of_its_loss(rng, kind):
    network = [(k, {n: v.astype(np.float64) for n, v in p.items()}) for k, p in plain.NETWORKS[kind](rng)]
    x, labels = rng.normal(size=(2, 28, 28, 1)), np.array([3, 7])
    values = plain.forward(network, x)
    _, dz = plain.softmax_cross_entropy(values[-1], labels)
    gradients = plain.backward(network, values, dz)
    for (_, parameters), found in zip(network, gradients, strict=True):
        for name, value in parameters.items():
            direction = rng.normal(size=value.shape)
            losses = []
            for sign in (1, -1):
                parameters[name] = value + sign * 1e-6 * direction
                losses.append(plain.softmax_cross_entropy(plain.forward(network, x)[-1], labels)[0])
            parameters[name] = value
            slope = (losses[0] - losses[1]) / 2e-6
            assert (found[name] * direction).sum() == close(
                slope, rel=1e-4, abs=1e-7, why="a slope from two points, 2e-6 apart"
            )


def test_the_page_trains_a_network_that_reads_97_of_100_digits():
    # One BLAS thread: beside other busy processes, several would wait for each other after every small product.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "core.plain"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    *epochs, last = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in epochs] == [f"epoch {number}" for number in range(1, 6)]
    found = re.fullmatch(r"test accuracy (\d+\.\d+)%", last)
    assert float(found[1]) >= 97


def test_an_unknown_network_is_named_beside_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "core.plain", "nosuch"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "core.plain: unknown network 'nosuch'; known: mlp, cnn\n"


def test_the_page_has_at_most_200_lines_no_class_and_imports_numpy_alone():
    text = Path(plain.__file__).read_text("utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    modules = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {module.partition(".")[0] for module in modules}
    assert packages - sys.stdlib_module_names == {"numpy"}
    assert not [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    assert len(text.splitlines()) <= 200
