"""The same network twice: the fast one, and a twin of loops over single numbers that shares no line with it."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy
from tests.floats import assert_same_function

Vector = list[float]
Matrix = list[list[float]]


def dense(x: Matrix, w: Matrix, b: Vector) -> Matrix:
    return [[b[j] + sum(row[i] * w[i][j] for i in range(len(w))) for j in range(len(b))] for row in x]


def dense_backward(x: Matrix, w: Matrix, dy: Matrix) -> tuple[Matrix, Vector, Matrix]:
    inputs, units, images = len(w), len(w[0]), len(x)
    dw = [[sum(x[n][i] * dy[n][j] for n in range(images)) for j in range(units)] for i in range(inputs)]
    db = [sum(dy[n][j] for n in range(images)) for j in range(units)]
    dx = [[sum(dy[n][j] * w[i][j] for j in range(units)) for i in range(inputs)] for n in range(images)]
    return dw, db, dx


def relu(x: Matrix) -> Matrix:
    return [[value if value > 0 else 0.0 for value in row] for row in x]


def relu_backward(x: Matrix, dy: Matrix) -> Matrix:
    return [
        [d if value > 0 else 0.0 for value, d in zip(row, drow, strict=True)] for row, drow in zip(x, dy, strict=True)
    ]


def softmax(row: Vector) -> Vector:
    total = sum(exp(z) for z in row)
    return [exp(z) / total for z in row]


def cross_entropy(z: Matrix, labels: list[int]) -> tuple[float, Matrix]:
    loss, dz = 0.0, []
    for row, label in zip(z, labels, strict=True):
        p = softmax(row)
        loss -= log(p[label]) / len(z)
        dz.append([(p[k] - (1.0 if k == label else 0.0)) / len(z) for k in range(len(p))])
    return loss, dz


@settings(deadline=None, max_examples=60)
@given(
    images=st.integers(1, 6),
    inputs=st.integers(1, 6),
    hidden=st.integers(1, 6),
    classes=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_fast_network_and_its_plain_twin_agree(
    dtype: type[np.floating], images: int, inputs: int, hidden: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layers = [{"kind": "dense", "units": hidden}, {"kind": "relu"}, {"kind": "dense", "units": classes}]
    network = build((inputs,), layers, rng=rng, dtype=dtype)
    network.vector.value[...] = rng.standard_normal(network.vector.value.size)
    x: NDArray[np.floating] = rng.standard_normal((images, inputs)).astype(dtype)
    labels = rng.integers(0, classes, images)

    terms = 4 * (inputs + hidden + classes + images)  # there and back, two layers each, and the sum over the batch
    loss = SoftmaxCrossEntropy()
    fast_loss = loss.forward(network.forward(x, training=True), labels)
    fast_dx = network.backward(loss.backward(), need_dx=True)

    w1, b1, w2, b2 = (parameter.value.tolist() for _, parameter in network.named_parameters())
    z1 = dense(x.tolist(), w1, b1)
    y1 = relu(z1)
    z2 = dense(y1, w2, b2)
    twin_loss, dz2 = cross_entropy(z2, labels.tolist())
    dw2, db2, dy1 = dense_backward(y1, w2, dz2)
    dw1, db1, dx = dense_backward(x.tolist(), w1, relu_backward(z1, dy1))

    scale = max(1.0, *(abs(value) for row in (*z1, *z2, *dw1, *dw2, *dx) for value in row))
    assert_same_function(fast_loss, twin_loss, terms=terms, dtype=dtype, scale=scale)
    for found, expected in zip(network.named_parameters(), (dw1, db1, dw2, db2), strict=True):
        assert_same_function(found[1].grad, expected, terms=terms, scale=scale, message=found[0])
    assert_same_function(fast_dx, dx, terms=terms, scale=scale)
