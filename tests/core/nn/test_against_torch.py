"""The same layers and losses in PyTorch: outputs, and the gradients of inputs and of every parameter."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.nn.architectures import build
from core.nn.losses import Loss, MeanSquaredError, OpenSetCrossEntropy, SoftmaxCrossEntropy
from core.nn.sequential import Sequential
from tests.floats import assert_same_function

torch = pytest.importorskip("torch")

dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def agree(found: Any, expected: Any, name: str = "") -> None:
    """The same numbers as in a tensor: sums over a batch of 9 pictures of at most 60 numbers, there and back."""
    assert_same_function(
        found, expected.numpy(), terms=2 * 9 * 60, scale=max(1.0, float(np.abs(found).max())), message=name
    )


Weights = dict[str, Any]


def dense(x: Any, w: Weights, name: str) -> Any:
    return torch.nn.functional.linear(x, w[f"{name}.W"].T, w[f"{name}.b"])


def normalized(x: Any, w: Weights, name: str, *, training: bool, eps: float = 1e-5, momentum: float = 0.9) -> Any:
    """PyTorch expects the features on the second axis, and its momentum is the weight of the new batch."""
    y = torch.nn.functional.batch_norm(
        x.movedim(-1, 1),
        w[f"{name}.running_mean"],
        w[f"{name}.running_var"],
        w[f"{name}.gamma"],
        w[f"{name}.beta"],
        training=training,
        momentum=1 - momentum,
        eps=eps,
    )
    return y.movedim(1, -1)


def block(x: Any, w: Weights, *, training: bool) -> Any:
    f = normalized(torch.tanh(dense(x, w, "0.residual.0.dense")), w, "0.residual.2.batch_norm", training=training)
    return f + dense(x, w, "0.residual.shortcut.0.dense")


# Name: the shape of one input, the layers, and the same in PyTorch: (x, weights, training) → y.
CASES: dict[str, tuple[tuple[int, ...], list[dict[str, Any]], Callable[[Any, Weights, bool], Any]]] = {
    "dense": ((7,), [{"kind": "dense", "units": 5}], lambda x, w, _: dense(x, w, "0.dense")),
    "relu": ((7,), [{"kind": "relu"}], lambda x, w, _: torch.relu(x)),
    "leaky relu": (
        (7,),
        [{"kind": "leaky_relu", "slope": 0.2}],
        lambda x, w, _: torch.nn.functional.leaky_relu(x, 0.2),
    ),
    "sigmoid": ((7,), [{"kind": "sigmoid"}], lambda x, w, _: torch.sigmoid(x)),
    "tanh": ((7,), [{"kind": "tanh"}], lambda x, w, _: torch.tanh(x)),
    "gelu": ((7,), [{"kind": "gelu"}], lambda x, w, _: torch.nn.functional.gelu(x, approximate="tanh")),
    "silu": ((7,), [{"kind": "silu"}], lambda x, w, _: torch.nn.functional.silu(x)),
    "softmax": ((7,), [{"kind": "softmax"}], lambda x, w, _: torch.softmax(x, -1)),
    "softmax of pictures": ((3, 4, 5), [{"kind": "softmax"}], lambda x, w, _: torch.softmax(x, -1)),
    "batch norm of rows": (
        (7,),
        [{"kind": "batch_norm"}],
        lambda x, w, training: normalized(x, w, "0.batch_norm", training=training),
    ),
    "batch norm of pictures": (
        (3, 4, 5),
        [{"kind": "batch_norm", "eps": 1e-3, "momentum": 0.7}],
        lambda x, w, training: normalized(x, w, "0.batch_norm", training=training, eps=1e-3, momentum=0.7),
    ),
    "dropout, in use": (
        (7,),
        [{"kind": "dropout", "rate": 0.5}],
        lambda x, w, training: torch.nn.functional.dropout(x, 0.5, training=training),
    ),
    "flatten": ((3, 4, 5), [{"kind": "flatten"}], lambda x, w, _: torch.flatten(x, 1)),
    "residual": (
        (7,),
        [
            {
                "kind": "residual",
                "layers": [{"kind": "dense", "units": 5}, {"kind": "tanh"}, {"kind": "batch_norm"}],
                "shortcut": [{"kind": "dense", "units": 5}],
            }
        ],
        lambda x, w, training: block(x, w, training=training),
    ),
}

TRAINED = [name for name in CASES if name != "dropout, in use"]  # its masks come from another generator


def prepared(name: str, dtype: Any) -> tuple[Sequential, Weights, NDArray[Any], Any]:
    """Our network, its state as PyTorch tensors, and one batch as ours and as a tensor."""
    shape, layers, _ = CASES[name]
    rng = np.random.default_rng(2)
    network = build(shape, layers, rng=rng, dtype=dtype)
    network.vector.value[...] = rng.standard_normal(network.vector.value.size)
    buffers = network.buffers
    for buffer in buffers.values():
        buffer[...] = rng.uniform(0.5, 2, buffer.shape)
    weights = {key: torch.tensor(array, requires_grad=key not in buffers) for key, array in network.state().items()}
    x = rng.standard_normal((9, *shape)).astype(dtype)
    return network, weights, x, torch.tensor(x, requires_grad=True)


@dtypes
@pytest.mark.parametrize("name", TRAINED)
def test_in_training_outputs_gradients_and_buffers_agree(name: str, dtype: Any) -> None:
    network, weights, x, x_torch = prepared(name, dtype)
    y = network.forward(x, training=True)
    y_torch = CASES[name][2](x_torch, weights, True)
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(dtype)
    dx = network.backward(dy, need_dx=True)
    y_torch.backward(torch.tensor(dy))

    agree(y, y_torch.detach())
    agree(dx, x_torch.grad)
    for key, parameter in network.parameters.items():
        agree(parameter.grad, weights[key].grad, key)
    for key, buffer in network.buffers.items():
        agree(buffer, weights[key], key)


@dtypes
@pytest.mark.parametrize("name", CASES)
def test_outputs_in_use_agree(name: str, dtype: Any) -> None:
    network, weights, x, x_torch = prepared(name, dtype)
    agree(network.forward(x), CASES[name][2](x_torch, weights, False).detach())


@dtypes
def test_dropout_agrees_for_the_mask_that_was_drawn(dtype: Any) -> None:
    network = build((7,), [{"kind": "dropout", "rate": 0.25}], rng=np.random.default_rng(0), dtype=dtype)
    x, dy = np.random.default_rng(1).standard_normal((2, 9, 7)).astype(dtype)
    y = network.forward(x, training=True)
    x_torch = torch.tensor(x, requires_grad=True)
    y_torch = x_torch * torch.tensor(y != 0) / 0.75
    y_torch.backward(torch.tensor(dy))
    agree(y, y_torch.detach())
    agree(network.backward(dy, need_dx=True), x_torch.grad)


LABELS = np.random.default_rng(4).integers(0, 10, 9)
SOME_NONE = np.where(np.arange(9) % 3, LABELS, 10)
PICTURES = np.random.default_rng(5).standard_normal((9, 4, 5))


@dtypes
@pytest.mark.parametrize(
    ("loss", "shape", "targets", "reference"),
    [
        *(
            (
                SoftmaxCrossEntropy(label_smoothing=smoothing),
                (9, 10),
                LABELS,
                lambda z, t, s=smoothing: torch.nn.functional.cross_entropy(z, t, label_smoothing=s),
            )
            for smoothing in (0.0, 0.1, 0.7)
        ),
        *(
            (
                OpenSetCrossEntropy(label_smoothing=smoothing),
                (9, 10),
                SOME_NONE,
                lambda z, t, s=smoothing: torch.nn.functional.cross_entropy(
                    torch.nn.functional.pad(z, (0, 1)), t, label_smoothing=s
                ),
            )
            for smoothing in (0.0, 0.1)
        ),
        (
            MeanSquaredError(),
            (9, 10),
            LABELS,
            lambda y, t: torch.nn.functional.mse_loss(y, torch.nn.functional.one_hot(t, 10).to(y.dtype)),
        ),
        (MeanSquaredError(), (9, 4, 5), PICTURES, lambda y, t: torch.nn.functional.mse_loss(y, t.to(y.dtype))),
    ],
    ids=[
        *("cross entropy", "smoothed", "very smoothed", "open set", "open set, smoothed"),
        *("squared error of classes", "squared error of arrays"),
    ],
)
def test_losses_and_their_gradients_agree(
    loss: Loss, shape: tuple[int, ...], targets: NDArray[Any], reference: Callable[[Any, Any], Any], dtype: Any
) -> None:
    outputs = (3 * np.random.default_rng(6).standard_normal(shape)).astype(dtype)
    y_torch = torch.tensor(outputs, requires_grad=True)
    expected = reference(y_torch, torch.tensor(targets))
    expected.backward()
    assert_same_function(loss.forward(outputs, targets), expected.item(), terms=180, dtype=dtype)
    agree(loss.backward(), y_torch.grad)
