"""The same network twice: the fast one, and a reference in loops over single numbers that shares no line with it."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.nn.architectures import build
from core.nn.losses import SoftmaxCrossEntropy

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
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_the_fast_network_agrees_with_its_plain_reference(
    dtype: type[np.floating], tolerance: float, images: int, inputs: int, hidden: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layers = [{"kind": "dense", "units": hidden}, {"kind": "relu"}, {"kind": "dense", "units": classes}]
    network = build((inputs,), layers, rng=rng, dtype=dtype)
    network.vector.value[...] = rng.standard_normal(network.vector.value.size)
    x: NDArray[np.floating] = rng.standard_normal((images, inputs)).astype(dtype)
    labels = rng.integers(0, classes, images)

    loss = SoftmaxCrossEntropy()
    fast_loss = loss.forward(network.forward(x, training=True), labels)
    fast_dx = network.backward(loss.backward(), need_dx=True)

    w1, b1, w2, b2 = (parameter.value.tolist() for parameter in network.parameters.values())
    z1 = dense(x.tolist(), w1, b1)
    y1 = relu(z1)
    z2 = dense(y1, w2, b2)
    naive_loss, dz2 = cross_entropy(z2, labels.tolist())
    dw2, db2, dy1 = dense_backward(y1, w2, dz2)
    dw1, db1, dx = dense_backward(x.tolist(), w1, relu_backward(z1, dy1))

    assert fast_loss == pytest.approx(naive_loss, rel=tolerance, abs=tolerance)
    for found, expected in zip(network.parameters.items(), (dw1, db1, dw2, db2), strict=True):
        np.testing.assert_allclose(found[1].grad, expected, rtol=tolerance, atol=tolerance, err_msg=found[0])
    np.testing.assert_allclose(fast_dx, dx, rtol=tolerance, atol=tolerance)
