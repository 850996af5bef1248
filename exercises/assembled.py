"""The learner's files together: a network that is trained on MNIST with nothing else."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.plain import mnist
from exercises import learners_file
from exercises.checks.every import CHECKS
from exercises.verdict import WrongError

__all__ = ["convolutional_network", "dense_network"]

Array = NDArray[Any]
Functions = dict[str, Any]

ACCURATE = 0.8
"""What a network of files that pass reaches with ease."""

_DENSE = ("01_dense_forward", "02_dense_backward", "03_relu", "05_cross_entropy", "07_he_initialization", "08_sgd")
_DEEPER = ("11_adam", "15_im2col")


def dense_network(file: Path) -> str:
    """Train 784-64-10 on 6,000 images, for three epochs.

    Args:
        file: That of exercise 09, beside the others.
    """
    own = _functions(file, _DENSE, file.stem)
    if isinstance(own, str):
        return own
    rng = np.random.default_rng(1)
    x, labels = _images(7000)
    x = x.reshape(len(x), -1)
    layers = [own["he"](rng, 784, 64).astype(x.dtype), np.zeros(64, x.dtype)]
    layers += [own["he"](rng, 64, 10).astype(x.dtype), np.zeros(10, x.dtype)]
    for _ in range(3):
        for images, digits in own["minibatches"](x[:6000], labels[:6000], 32, rng):
            W1, b1, W2, b2 = layers
            h = own["dense"](images, W1, b1)
            a = own["relu"](h)
            _, dz = own["cross_entropy"](own["dense"](a, W2, b2), digits)
            da, dW2, db2 = own["dense_backward"](a, dz, W2)
            _, dW1, db1 = own["dense_backward"](images, own["relu_backward"](h, da), W1)
            layers = [own["sgd"](w, g, 0.1) for w, g in zip(layers, (dW1, db1, dW2, db2), strict=True)]
    W1, b1, W2, b2 = layers
    read = own["dense"](own["relu"](own["dense"](x[6000:], W1, b1)), W2, b2).argmax(axis=1)
    return _report("A network 784-64-10 made of your files alone", float((read == labels[6000:]).mean()))


def convolutional_network(file: Path) -> str:
    """Train a convolution with 8 kernels of 5 × 5, a max pooling and a dense layer on 2,000 images, for one epoch.

    Args:
        file: That of exercise 16, beside the others.
    """
    own = _functions(file, _DENSE[:-1] + _DEEPER + ("09_minibatches",), file.stem)
    if isinstance(own, str):
        return own
    rng = np.random.default_rng(1)
    x, labels = _images(3000)
    weights = [own["he"](rng, 25, 8).reshape(5, 5, 1, 8).astype(x.dtype), np.zeros(8, x.dtype)]
    weights += [own["he"](rng, 1152, 10).astype(x.dtype), np.zeros(10, x.dtype)]
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step, (images, digits) in enumerate(own["minibatches"](x[:2000], labels[:2000], 32, rng), start=1):
        c, a, flat, z = _through(own, images, weights)
        _, dz = own["cross_entropy"](z, digits)
        dflat, dW2, db2 = own["dense_backward"](flat, dz, weights[2])
        da = own["maxpool2d_backward"](a, dflat.reshape(len(a), 12, 12, 8))
        _, dW1, db1 = own["conv2d_backward"](images, own["relu_backward"](c, da), weights[0])
        for i, g in enumerate((dW1, db1, dW2, db2)):
            weights[i], m[i], v[i] = own["adam"](weights[i], g, m[i], v[i], step, 0.003)
    read = _through(own, x[2000:], weights)[-1].argmax(axis=1)
    return _report("A convolutional network made of your files alone", float((read == labels[2000:]).mean()))


def _through(own: Functions, images: Array, weights: Sequence[Array]) -> tuple[Array, Array, Array, Array]:
    c = own["conv2d"](images, weights[0], weights[1])  # (N, 24, 24, 8)
    a = own["relu"](c)
    flat = own["maxpool2d"](a).reshape(len(images), -1)  # (N, 1152)
    return c, a, flat, own["dense"](flat, weights[2], weights[3])


def _functions(file: Path, others: Sequence[str], last: str) -> Functions | str:
    """The functions of several files; or a sentence, if one of them does not pass."""
    found: Functions = {}
    missing = []
    for name in (*others, last):
        names = _passing(name, file.with_name(f"{name}.py"))
        if names is None:
            missing.append(name)
        else:
            found |= {key: value for key, value in names.items() if isinstance(value, Callable)}  # type: ignore[arg-type]
    if missing:
        return f"As soon as {', '.join(missing)} pass as well, this check trains a network that is made of your files."
    return found


def _passing(name: str, file: Path) -> Functions | None:
    with suppress(Exception):
        names = learners_file.load(file)
        for check in CHECKS[name]:
            check(names)
        return names
    return None


def _images(count: int) -> tuple[Array, Array]:
    """Images from 0 to 1, (count, 28, 28, 1), and their labels."""
    x: Array = mnist("train-images-idx3")[:count, ..., np.newaxis] / np.float32(255)
    return x, mnist("train-labels-idx1")[:count]


def _report(what: str, accuracy: float) -> str:
    if accuracy < ACCURATE:
        raise WrongError(
            f"{what} reads only {accuracy:.1%} of 1,000 images it has not seen, expected over {ACCURATE:.0%}."
        )
    return f"{what} was just trained on MNIST: it reads {accuracy:.1%} of 1,000 images that it has not seen."
