"""A neural network that reads handwritten digits: the whole idea on one page, in plain NumPy.

    python -m core.plain          trains 784-128-10 on MNIST to more than 97%, in well under a minute
    python -m core.plain cnn      trains a small convolutional network: slowly, as its loops are written out

A network is a list of layers, and each layer is a function y = f(x; W, b). Training looks for the W and b that make the
loss L small, one number that says how wrong the outputs are. Three ideas do it:

    forward    compute the layers one after the other, and the loss from the output of the last one
    backward   compute how L changes with every W and b. By the chain rule, all that a layer needs is dy = ∂L/∂y, the
               gradient of its output. From it follow dW = ∂L/∂W and db = ∂L/∂b, which training needs, and dx = ∂L/∂x,
               which is the dy of the layer before. So gradients are found from the last layer to the first: this is
               backpropagation (Rumelhart, Hinton & Williams 1986).
    descend    move every W and b a small step against its gradient, the direction in which L falls fastest

Each layer below is a function, and under it stands its backward function. Both get the layer's input x and its
parameters; backward gets dy too, and returns dx and the gradients of the parameters by name. A gradient has the shape
of what it is the gradient of. In shapes, N counts the images of a batch, H × W their pixels, C and O channels.
`core/nn` computes the same with layers that compose, and fast; tests compare it with this page, number by number.
"""

import gzip
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Parameters = dict[str, Array]
Network = list[tuple[str, Parameters]]  # of each layer: its kind, and its parameters by name


def dense(x: Array, W: Array, b: Array) -> Array:
    """Every output is a weighted sum of all inputs: y[n, j] = Σ_i x[n, i] W[i, j] + b[j], with all axes of x as one."""
    return x.reshape(len(x), -1) @ W + b  # (N, I) @ (I, J) + (J,)


def dense_backward(x: Array, dy: Array, W: Array, b: Array) -> tuple[Array, Parameters]:  # noqa: ARG001
    """∂y[n, j] / ∂W[i, j] = x[n, i] and ∂y[n, j] / ∂x[n, i] = W[i, j]; each times dy[n, j], and summed."""
    dW = x.reshape(len(x), -1).T @ dy  # dW[i, j] = Σ_n x[n, i] dy[n, j]
    db = dy.sum(axis=0)
    dx = dy @ W.T  # dx[n, i] = Σ_j dy[n, j] W[i, j]
    return dx.reshape(x.shape), {"W": dW, "b": db}


def relu(x: Array) -> Array:
    """y = max(x, 0). Without a nonlinear function between them, two dense layers would be no more than one."""
    return np.maximum(x, 0)


def relu_backward(x: Array, dy: Array) -> tuple[Array, Parameters]:
    """The slope of y is 1 where x > 0, and 0 elsewhere."""
    return dy * (x > 0), {}


def conv2d(x: Array, W: Array, b: Array) -> Array:
    """A dense layer that looks at one small patch of the picture at a time, with the same weights everywhere.

    y[n, i, j, o] = Σ_u,v,c x[n, i + u, j + v, c] W[u, v, c, o] + b[o], with x (N, H, W, C), W (k, k, C, O) and b (O,).
    """
    k, size = len(W), (x.shape[1] - len(W) + 1, x.shape[2] - len(W) + 1)
    y = np.empty((len(x), *size, W.shape[3]), x.dtype)
    for i, j in np.ndindex(size):
        patch = x[:, i : i + k, j : j + k]  # (N, k, k, C)
        y[:, i, j] = np.tensordot(patch, W, axes=3) + b  # (N, O): summed over u, v and c
    return y


def conv2d_backward(x: Array, dy: Array, W: Array, b: Array) -> tuple[Array, Parameters]:
    """The same as for a dense layer, patch by patch; a weight acts in every patch and a pixel in several, so add up."""
    k, dx, dW, db = len(W), np.zeros_like(x), np.zeros_like(W), np.zeros_like(b)
    for i, j in np.ndindex(dy.shape[1:3]):
        patch, d = x[:, i : i + k, j : j + k], dy[:, i, j]  # (N, k, k, C), (N, O)
        dW += np.tensordot(patch, d, axes=(0, 0))  # summed over n
        db += d.sum(axis=0)
        dx[:, i : i + k, j : j + k] += np.tensordot(d, W, axes=(1, 3))  # summed over o
    return dx, {"W": dW, "b": db}


def maxpool2d(x: Array) -> Array:
    """The largest number of each 2 × 2 window, channel by channel: (N, H, W, C) → (N, H/2, W/2, C), rounded down."""
    y = np.empty((len(x), x.shape[1] // 2, x.shape[2] // 2, x.shape[3]), x.dtype)
    for i, j in np.ndindex(y.shape[1:3]):
        y[:, i, j] = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(1, 2))
    return y


def maxpool2d_backward(x: Array, dy: Array) -> tuple[Array, Parameters]:
    """Only the largest number of a window moves y, so it gets the whole gradient; among equals, the first one does."""
    dx = np.zeros_like(x)
    for i, j in np.ndindex(dy.shape[1:3]):
        window = x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].reshape(len(x), 4, -1)
        first = window.argmax(axis=1)[:, np.newaxis, np.newaxis]  # (N, 1, 1, C): which of the four is the largest
        largest = np.arange(4).reshape(2, 2, 1) == first  # (N, 2, 2, C)
        dx[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = largest * dy[:, i : i + 1, j : j + 1]
    return dx, {}


LAYERS: dict[str, tuple[Callable[..., Array], Callable[..., tuple[Array, Parameters]]]] = {
    "dense": (dense, dense_backward),
    "relu": (relu, relu_backward),
    "conv2d": (conv2d, conv2d_backward),
    "maxpool2d": (maxpool2d, maxpool2d_backward),
}


def softmax_cross_entropy(z: Array, labels: Array) -> tuple[float, Array]:
    """The loss L = −(1/N) Σ_n log p[n, t_n]: small where the network finds the true digit t probable. Returns L and dz.

    Softmax turns the outputs z, (N, K), into probabilities p_k = exp(z_k) / Σ_j exp(z_j). So the loss of one image is
    −log p_t = log Σ_j exp(z_j) − z_t, and its derivative with respect to z_k is p_k − [k = t]: predicted minus true.
    """
    e = np.exp(z - z.max(axis=1, keepdims=True))  # the maximum cancels out in p; without it, exp could overflow
    p = e / e.sum(axis=1, keepdims=True)
    onehot = np.eye(z.shape[1], dtype=z.dtype)[labels]  # [k = t], (N, K)
    return float(-np.log(p[onehot == 1]).mean()), (p - onehot) / len(z)


def forward(network: Network, x: Array) -> list[Array]:
    """Compute every layer. Returns the input of each layer, and after them the output of the last one."""
    values = [x]
    for kind, parameters in network:
        layer, _ = LAYERS[kind]
        values.append(layer(values[-1], **parameters))
    return values


def backward(network: Network, values: list[Array], dy: Array) -> list[Parameters]:
    """Go back from the last layer to the first: the dx of each is the dy of the one before. Returns all gradients."""
    found: list[Parameters] = []
    for (kind, parameters), x in zip(reversed(network), reversed(values[:-1]), strict=True):
        _, layer_backward = LAYERS[kind]
        dy, gradients = layer_backward(x, dy, **parameters)
        found.append(gradients)
    return found[::-1]


def step(network: Network, x: Array, labels: Array, rate: float) -> float:
    """One step of gradient descent, w ← w − rate · ∂L/∂w for every parameter. Returns the loss before it."""
    values = forward(network, x)
    loss, dz = softmax_cross_entropy(values[-1], labels)
    for (_, parameters), gradients in zip(network, backward(network, values, dz), strict=True):
        for name, gradient in gradients.items():
            parameters[name] -= rate * gradient
    return loss


def train(network: Network, images: Array, labels: Array, rng: np.random.Generator, rate: float) -> Iterator[float]:
    """One epoch after the other, each a pass over all images in a new order, 32 at a time. Yields its mean loss."""
    while True:
        batches = np.array_split(rng.permutation(len(images)), len(images) // 32)
        yield float(np.mean([step(network, images[batch], labels[batch], rate) for batch in batches]))


def accuracy(network: Network, images: Array, labels: Array) -> float:
    """The share of images for which the output of the true digit is the largest."""
    found = [forward(network, batch)[-1].argmax(axis=1) for batch in np.array_split(images, len(images) // 100)]
    return float(np.mean(np.concatenate(found) == labels))


def he(rng: np.random.Generator, *shape: int) -> Parameters:
    """First weights: random, so that units differ; variance 2 / fan_in, so that signals keep their size (He 2015)."""
    deviation = np.sqrt(2 / np.prod(shape[:-1]))
    return {"W": rng.normal(0, deviation, shape).astype(np.float32), "b": np.zeros(shape[-1], np.float32)}


def mnist(name: str) -> Array:
    """The array in one IDX file: a header of 4 bytes, and 4 more for the length of each axis; then a byte a number."""
    data = gzip.decompress((Path(__file__).parents[1] / "data" / "mnist" / f"{name}-ubyte.gz").read_bytes())
    shape = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


# Change a layer or a size here, or the rate below, and watch what happens.
NETWORKS: dict[str, Callable[[np.random.Generator], Network]] = {
    "mlp": lambda rng: [("dense", he(rng, 28 * 28, 128)), ("relu", {}), ("dense", he(rng, 128, 10))],
    "cnn": lambda rng: [("conv2d", he(rng, 5, 5, 1, 8)), ("relu", {}), ("maxpool2d", {}), ("dense", he(rng, 1152, 10))],
}


def main(kind: str = "mlp") -> None:
    """Train; measure after each epoch on 5,000 images that are kept aside, and once at the end on the test set."""
    if kind not in NETWORKS:
        sys.exit(f"core.plain: unknown network {kind!r}; known: {', '.join(NETWORKS)}")
    rng = np.random.default_rng(1)
    network = NETWORKS[kind](rng)
    x, test_x = (mnist(f"{part}-images-idx3")[..., np.newaxis] / np.float32(255) for part in ("train", "t10k"))
    labels, test_labels = mnist("train-labels-idx1"), mnist("t10k-labels-idx1")
    losses = train(network, x[:55_000], labels[:55_000], rng, rate=0.1)
    for epoch in range(1, 6):
        print(f"epoch {epoch}: loss {next(losses):.4f},", end=" ", flush=True)
        print(f"validation accuracy {accuracy(network, x[55_000:], labels[55_000:]):.2%}", flush=True)
    print(f"test accuracy {accuracy(network, test_x, test_labels):.2%}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
