"""04 and 05: softmax, and the cross-entropy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exercises.function_check import Case, FunctionCheck, Slip

__all__ = ["CROSS_ENTROPY", "SOFTMAX"]

Array = NDArray[Any]

_rng = np.random.default_rng(4)
_z = _rng.normal(size=(32, 10)) * 2
_labels = _rng.integers(0, 10, 32)
_SIZES = {"N": 32, "K": 10}


def _exp(z: Array, c: Any) -> Array:
    e: Array = np.exp(z - c)
    return e


def _softmax(z: Array) -> Array:
    e = _exp(z, z.max(axis=1, keepdims=True))
    p: Array = e / e.sum(axis=1, keepdims=True)
    return p


SOFTMAX = FunctionCheck(
    "softmax",
    ("p",),
    [
        Case("a batch of 32", {"z": _z}, _SIZES),
        Case("as many rows as classes", {"z": _rng.normal(size=(4, 4))}, {"N": 4, "K": 4}),
        Case("outputs as large as 1,000", {"z": np.array([[1000.0, 1001, 999], [0, 1, 2]])}, {"N": 2, "K": 3}),
        Case(
            "a row near 0 beside a row near 2,000", {"z": np.array([[2000.0, 2001, 1999], [0, 1, 2]])}, {"N": 2, "K": 3}
        ),
        Case("outputs near −1,000", {"z": np.array([[-1000.0, -1001, -999]])}, {"N": 1, "K": 3}),
        Case("", {"z": _z}, _SIZES).in_single_precision(),
    ],
    _softmax,
    [
        Slip(
            "not shifted",
            "p",
            lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
            "exp has overflowed, or given only zeros: z was not shifted. Subtract the largest z of each row first; "
            "it cancels out of the fraction.",
        ),
        Slip(
            "shifted by one maximum",
            "p",
            lambda z: _exp(z, z.max()) / _exp(z, z.max()).sum(axis=1, keepdims=True),
            "One maximum was subtracted from all rows. A row far below it is then 0 everywhere, and 0/0 is not a "
            "number: every row needs its own, z.max(axis=1, keepdims=True).",
        ),
        Slip(
            "wrong axis",
            "p",
            lambda z: np.exp(z) / np.exp(z).sum(axis=0, keepdims=True),
            "The sum is over the batch (axis 0), so that columns sum to 1. A row is an image: sum over its classes, "
            "axis 1.",
        ),
        Slip(
            "one sum",
            "p",
            lambda z: np.exp(z) / np.exp(z).sum(),
            "One sum was taken over the whole batch: all {N} rows together sum to 1. Each row is to: axis=1, "
            "keepdims=True.",
        ),
        Slip(
            "one sum, shifted",
            "p",
            lambda z: _exp(z, z.max(axis=1, keepdims=True)) / _exp(z, z.max(axis=1, keepdims=True)).sum(),
            "One sum was taken over the whole batch: all {N} rows together sum to 1. Each row is to: axis=1, "
            "keepdims=True.",
        ),
        Slip(
            "not divided",
            "p",
            lambda z: _exp(z, z.max(axis=1, keepdims=True)),
            "The exponentials were not divided by their sum: rows of p sum to 1.",
        ),
        Slip(
            "keepdims",
            "p",
            lambda z: np.exp(z) / np.exp(z).sum(axis=1),
            "Each column was divided by the sum of another row: without keepdims=True, the sums (N,) lie along the "
            "classes.",
        ),
        Slip(
            "keepdims",
            "p",
            lambda z: _exp(z, z.max(axis=1, keepdims=True)) / _exp(z, z.max(axis=1, keepdims=True)).sum(axis=1),
            "Each column was divided by the sum of another row: without keepdims=True, the sums (N,) lie along the "
            "classes.",
        ),
        Slip(
            "keepdims of the maximum",
            "p",
            lambda z: _exp(z, z.max(axis=1)) / _exp(z, z.max(axis=1)).sum(axis=1, keepdims=True),
            "Each column was shifted by the maximum of another row: without keepdims=True, the maxima (N,) lie along "
            "the classes.",
        ),
        Slip("logarithm", "p", lambda z: np.log(_softmax(z)), "These are the logarithms of the probabilities."),
    ],
)


def _log_p(z: Array) -> Array:
    z = z - z.max(axis=1, keepdims=True)
    log_p: Array = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return log_p


def _true(z: Array, labels: Array) -> Array:
    """log p[n, t_n], (N,)."""
    return _log_p(z)[np.arange(len(z)), labels]


def _y(z: Array, labels: Array) -> Array:
    return np.eye(z.shape[1])[labels]


CROSS_ENTROPY = FunctionCheck(
    "cross_entropy",
    ("loss", "dz"),
    [
        Case("a batch of 32", {"z": _z, "labels": _labels}, _SIZES),
        Case("a batch of one image", {"z": _rng.normal(size=(1, 3)), "labels": np.array([2])}, {"N": 1, "K": 3}),
        Case(
            "an image that the network is certain and wrong about",
            {"z": np.array([[1000.0, 0, 0], [0, 1, 2]]), "labels": np.array([1, 2])},
            {"N": 2, "K": 3},
        ),
        Case("", {"z": _z, "labels": _labels}, _SIZES).in_single_precision(),
    ],
    lambda z, labels: (-_true(z, labels).mean(), (_softmax(z) - _y(z, labels)) / len(z)),
    [
        Slip(
            "loss sum",
            "loss",
            lambda z, labels: -_true(z, labels).sum(),
            "Your loss is exactly {N} times too large: {N} is the size of the batch. It is the sum over the images; "
            "is the mean's 1/N missing?",
        ),
        Slip(
            "loss sign",
            "loss",
            lambda z, labels: _true(z, labels).mean(),
            "Your loss has the wrong sign: a logarithm of a probability is negative, and the loss is minus its mean.",
        ),
        Slip(
            "loss each",
            "loss",
            lambda z, labels: -_true(z, labels),
            "Your loss is that of each image, {N} numbers: their mean is missing.",
        ),
        Slip(
            "loss of all classes",
            "loss",
            lambda z, labels: -_log_p(z).mean(),
            "Your loss is a mean over all classes. Only the logarithm of the true class counts: "
            "log_p[np.arange(len(z)), labels].",
        ),
        Slip(
            "loss mean over classes",
            "loss",
            lambda z, labels: -_true(z, labels).mean() / z.shape[1],
            "Your loss is exactly {K} times too small: {K} is the number of classes. The mean of the onehot products "
            "was taken over N·K numbers; it is over the {N} images.",
        ),
        Slip(
            "loss base",
            "loss",
            lambda z, labels: -_true(z, labels).mean() / np.log(2),
            "Your loss is in bits: it takes the logarithm to the base 2. The derivative p − y belongs to the natural "
            "one, np.log.",
        ),
        Slip(
            "loss base 10",
            "loss",
            lambda z, labels: -_true(z, labels).mean() / np.log(10),
            "Your loss takes the logarithm to the base 10. The derivative p − y belongs to the natural one, np.log.",
        ),
        Slip(
            "log of a rounded probability",
            "loss",
            lambda z, labels: -np.log(_softmax(z)[np.arange(len(z)), labels]).mean(),
            "Your loss is infinite: p of the true class was rounded to 0, and log 0 is −∞. Compute log p without p: "
            "z − c − log Σ exp(z − c).",
        ),
        Slip(
            "loss without log",
            "loss",
            lambda z, labels: -_softmax(z)[np.arange(len(z)), labels].mean(),
            "Your loss is minus the mean probability: the logarithm is missing.",
        ),
        Slip(
            "dz without 1/N",
            "dz",
            lambda z, labels: _softmax(z) - _y(z, labels),
            "Your dz is exactly {N} times too large: {N} is the size of the batch. Is the mean's 1/N missing?",
        ),
        Slip(
            "dz sign",
            "dz",
            lambda z, labels: (_y(z, labels) - _softmax(z)) / len(z),
            "Your dz has the wrong sign: true minus predicted, y − p. It is predicted minus true: where p is too "
            "large, L grows with z.",
        ),
        Slip(
            "dz without y",
            "dz",
            lambda z, labels: _softmax(z) / len(z),
            "Your dz is p / N: nothing is subtracted at the true class. dz = (p − y) / N.",
        ),
        Slip(
            "dz of log p",
            "dz",
            lambda z, labels: (_log_p(z) - _y(z, labels)) / len(z),
            "Your dz takes log p for p: it is (p − y) / N with the probabilities themselves.",
        ),
        Slip(
            "dz of z",
            "dz",
            lambda z, labels: (z - _y(z, labels)) / len(z),
            "Your dz takes the outputs z for probabilities: it is (p − y) / N with p = softmax(z).",
        ),
        Slip(
            "dz by classes",
            "dz",
            lambda z, labels: (_softmax(z) - _y(z, labels)) / z.size,
            "Your dz is exactly {K} times too small: {K} is the number of classes. The mean is over the {N} images "
            "alone.",
        ),
        Slip(
            "dz in part",
            "dz",
            lambda z, labels: _softmax(z) - _y(z, labels) / len(z),
            "Only y was divided by N: dz = (p − y) / N needs its parentheses.",
        ),
    ],
)
