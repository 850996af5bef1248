"""`python -m exercises torch`: a step of training in NumPy and in PyTorch, with the same weights and images."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.plain import NETWORKS, backward, forward, mnist, softmax_cross_entropy, step

__all__ = ["main", "ours", "report", "theirs"]

Array = NDArray[Any]
Results = dict[str, Array]

IMAGES, RATE = 32, 0.1
SHOWN = 3
"""Numbers of each result that are printed: the largest ones of ours."""

TOLERANCE = 1e-5
"""The largest relative difference that rounding in float32 leaves, with sums of 784 products in another order."""


def main() -> int:
    """Print both, side by side. Returns the exit status: 1 if they differ, or if PyTorch is not installed."""
    try:
        import torch  # noqa: F401 — whether it is there
    except ImportError:
        print(
            "PyTorch is not installed. To install it beside Numeral: `.venv/bin/python -m pip install torch` "
            "(or `make bench`, which needs it too); then call this again.",
            file=sys.stderr,
        )
        return 1
    images, labels = _batch()
    text, equal = report(ours(images, labels), theirs(images, labels))
    print(text)
    return 0 if equal else 1


def ours(images: Array, labels: Array) -> Results:
    """Logits, loss, every gradient and every weight after one step, by core/plain.py."""
    network = NETWORKS["mlp"](np.random.default_rng(1))
    values = forward(network, images)
    loss, dz = softmax_cross_entropy(values[-1], labels)
    gradients = backward(network, values, dz)
    found = {"logits": values[-1], "loss": np.asarray(loss)}
    for layer in (0, 2):
        found |= {f"d{name}{layer // 2 + 1}": gradients[layer][name] for name in ("W", "b")}
    step(network, images, labels, RATE)
    for layer in (0, 2):
        found |= {f"{name}{layer // 2 + 1} after a step": network[layer][1][name] for name in ("W", "b")}
    return found


def theirs(images: Array, labels: Array) -> Results:
    """The same by PyTorch, whose linear layers store W transposed."""
    import torch

    weights = NETWORKS["mlp"](np.random.default_rng(1))
    network = torch.nn.Sequential(torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
    with torch.no_grad():
        for layer in (0, 2):
            network[layer].weight.copy_(torch.from_numpy(weights[layer][1]["W"].T.copy()))
            network[layer].bias.copy_(torch.from_numpy(weights[layer][1]["b"]))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    logits = network(torch.from_numpy(images.reshape(len(images), -1)))
    loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels.astype(np.int64)))
    loss.backward()
    found = {"logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
    for layer in (0, 2):
        number = layer // 2 + 1
        found |= {f"dW{number}": network[layer].weight.grad.numpy().T, f"db{number}": network[layer].bias.grad.numpy()}
    optimizer.step()
    for layer in (0, 2):
        number = layer // 2 + 1
        found[f"W{number} after a step"] = network[layer].weight.detach().numpy().T
        found[f"b{number} after a step"] = network[layer].bias.detach().numpy()
    return found


def report(left: Results, right: Results) -> tuple[str, bool]:
    """The numbers of both as a table, and whether they are equal up to rounding."""
    lines = [
        f"784-128-10, the first {IMAGES} images of MNIST, learning rate {RATE}, the same first weights (seed 1)",
        "",
        f"{'':18}  {'index':>10}  {'NumPy':>13}  {'PyTorch':>13}",
    ]
    equal = True
    for name, mine in left.items():
        other = right[name]
        for index in _largest(mine):
            place = ", ".join(map(str, index))
            lines.append(f"{name:18}  {place:>10}  {mine[index]:>13.6g}  {other[index]:>13.6g}")
        difference = float(np.abs(mine - other).max() / np.abs(mine).max())
        equal &= difference <= TOLERANCE
        count = f", the largest of {mine.size:,} numbers" if mine.ndim else ""
        lines += [f"{'':18}  relative difference {difference:.1e}{count}", ""]
    lines.append("Equal up to rounding." if equal else f"They differ by more than rounding leaves ({TOLERANCE:g}).")
    return "\n".join(lines), equal


def _largest(array: Array) -> list[tuple[int, ...]]:
    """Where the largest numbers are, by magnitude, in order of their places."""
    places = np.sort(np.argsort(-np.abs(array), axis=None)[:SHOWN])
    return [tuple(int(i) for i in np.unravel_index(place, array.shape)) for place in places]


def _batch() -> tuple[Array, Array]:
    images: Array = mnist("train-images-idx3")[:IMAGES, ..., np.newaxis] / np.float32(255)
    return images, mnist("train-labels-idx1")[:IMAGES]
