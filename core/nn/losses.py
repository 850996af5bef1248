"""Losses: one number that says how wrong a batch is, and its gradient, where backpropagation begins."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.kernels.arrays import Array
from core.nn.loss import Loss


def softmax(logits: Array, out: Array | None = None) -> Array:
    """exp(z_k) / Σ_j exp(z_j), row by row: positive numbers that sum to 1.

    Args:
        logits: z, (…, K), any real numbers.
        out: Where to write; may be `logits` itself.

    Returns:
        (…, K), same dtype.
    """
    # Subtracting the row's maximum changes nothing (it cancels), and exp then never overflows: float32 ends near e⁸⁸.
    p: Array = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), out=out)
    np.exp(p, out=p)
    p /= np.add.reduce(p, axis=-1, keepdims=True)
    return p


class SoftmaxCrossEntropy(Loss):
    """L = −(1/N) Σ_n log p[n, t_n], where p = softmax(z) and t_n is the true class of image n.

    It is the negative log-likelihood of the labels (Goodfellow, Bengio & Courville 2016, §6.2.2). With
    log p_t = z_t − log Σ_j exp(z_j), the derivative is one line: ∂(−log p_t)/∂z_k = p_k − [k = t]. So

        dz = (p − onehot(t)) / N

    Softmax and logarithm are taken together because apart they lose all precision where p_t is near 0.

    With label smoothing ε, the target is no longer onehot(t) but q = (1 − ε) onehot(t) + ε / K: every class gets an
    equal share of the certainty ε (Szegedy et al. 2016, §7), so that logits need not grow without end. Then

        L = −(1/N) Σ_n Σ_k q[n, k] log p[n, k]        dz = (p − q) / N

    The smallest loss is no longer 0, so only losses with the same ε are comparable; to measure a network, use ε = 0.

    Attributes:
        each: The loss of each image of the last forward pass, (N,), in nats.
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        """Make the loss.

        Args:
            label_smoothing: ε, at least 0 and below 1.

        Raises:
            ConfigError: ε is out of range.
        """
        if not 0 <= label_smoothing < 1:
            raise ConfigError(
                f"softmax_cross_entropy: label_smoothing = {label_smoothing}, expected at least 0 and below 1"
            )
        self.label_smoothing = float(label_smoothing)
        self.each: Array = np.empty(0, np.float32)
        self._p: Array = np.empty((0, 0), np.float32)
        self._labels: NDArray[np.integer] = np.empty(0, np.intp)
        self._rows = np.empty(0, np.intp)

    @property
    def probabilities(self) -> Array:
        """p of the last forward pass, (N, K), until `backward` overwrites it."""
        return self._p

    def forward(self, logits: Array, labels: NDArray[np.integer]) -> float:
        """The mean loss of the batch, in nats.

        Args:
            logits: z, (N, K).
            labels: t, (N,), integers from 0 to K − 1.

        Raises:
            ConfigError: A label beyond these.
        """
        if self._p.shape != logits.shape or self._p.dtype != logits.dtype:
            self._p, self._rows = np.empty_like(logits), np.arange(len(logits))
        z = np.subtract(logits, logits.max(axis=1, keepdims=True), out=self._p)
        try:
            z_target = z[self._rows, labels]  # Σ_k q_k z_k
        except IndexError as error:
            raise _unknown_label(labels, logits.shape[1]) from error
        if self.label_smoothing:
            z_target *= 1 - self.label_smoothing
            z_target += self.label_smoothing * z.mean(axis=1)
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        self._p /= total
        self._labels = labels
        self.each = np.log(total[:, 0]) - z_target
        return float(self.each.sum() / len(self.each))  # Σ_k q_k log p_k = Σ_k q_k z_k − log Σ_j exp(z_j)

    def backward(self) -> Array:
        """dz = (p − q) / N, (N, K), valid until the next call."""
        dz = self._p
        dz[self._rows, self._labels] -= 1 - self.label_smoothing
        if self.label_smoothing:
            dz -= self.label_smoothing / dz.shape[1]
        dz /= len(dz)
        return dz


class OpenSetCrossEntropy(Loss):
    """Cross-entropy over K classes and one more, "none of them", whose logit is the constant 0. Its label is K.

    A softmax does not change when the same number is added to all logits, so one of K + 1 logits can be fixed without
    loss of generality, and the network has only K outputs z:

        p_k = exp(z_k) / (1 + Σ_j exp(z_j))        p_none = 1 / (1 + Σ_j exp(z_j))

    With labels t from 0 to K, and p_K = p_none,

        L = −(1/N) Σ_n log p[n, t_n]        dz_k = (p_k − [k = t]) / N        for k < K

    which is the softmax cross-entropy of the logits (z, 0) and its gradient without the last column: a constant learns
    nothing. Among the K classes, softmax(z) remains what it was. But a plain cross-entropy does not notice a shift of
    all logits, and this one does: the energy E = log Σ_j exp(z_j) (Liu et al. 2020, "Energy-based Out-of-distribution
    Detection", eq. 4, with the opposite sign) becomes the log-odds that the image belongs to any of the K classes:

        log ((1 − p_none) / p_none) = log Σ_j exp(z_j) = E

    That such training also helps against kinds of images that were not trained on is the finding of Hendrycks, Mazeika
    & Dietterich 2019, "Deep Anomaly Detection with Outlier Exposure".

    With label smoothing ε, each of the K + 1 classes gets the share ε / (K + 1): see `SoftmaxCrossEntropy`.
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        """Make the loss; for ε and its error, see `SoftmaxCrossEntropy`."""
        self._over_all = SoftmaxCrossEntropy(label_smoothing=label_smoothing)
        self._z: Array = np.empty((0, 1), np.float32)  # (N, K + 1): z, and the constant 0
        self._dz: Array = np.empty((0, 0), np.float32)

    def forward(self, logits: Array, labels: NDArray[np.integer]) -> float:
        """The mean loss of the batch, in nats.

        Args:
            logits: z, (N, K).
            labels: t, (N,), integers from 0 to K; K stands for "none".

        Raises:
            ConfigError: A label beyond these.
        """
        if self._dz.shape != logits.shape or self._dz.dtype != logits.dtype:
            self._dz = np.empty_like(logits)
            self._z = np.zeros((len(logits), logits.shape[1] + 1), logits.dtype)
        self._z[:, :-1] = logits
        return self._over_all.forward(self._z, labels)

    def backward(self) -> Array:
        """dz = (p − q) / N, (N, K), valid until the next call."""
        self._dz[...] = self._over_all.backward()[:, :-1]
        return self._dz

    @property
    def each(self) -> Array:
        """The loss of each image of the last forward pass, (N,), in nats."""
        return self._over_all.each

    def predicted(self, logits: Array) -> NDArray[np.intp]:
        """The most probable of the K + 1 labels, (N,): K where no logit is above its 0."""
        return np.where(logits.max(axis=1) > 0, super().predicted(logits), logits.shape[1])


class MeanSquaredError(Loss):
    """L = 1/(N·K) Σ_n Σ_k (y[n, k] − t[n, k])², the mean over all numbers of all outputs.

    It is the negative log-likelihood of targets with normal noise, up to constants (Goodfellow, Bengio & Courville
    2016, §5.5.1): right for measured quantities, second best for classes. The derivative is that of a square:

        dy = 2 (y − t) / (N·K)

    Targets are arrays in the outputs' shape, or class indices, (N,), which stand for one-hot rows: t[n, k] is 1 where
    k is the class of image n, else 0.
    """

    def __init__(self) -> None:
        self._difference: Array = np.empty((0, 0), np.float32)
        self._rows = np.empty(0, np.intp)

    def forward(self, outputs: Array, targets: NDArray[Any]) -> float:
        """The mean square of y − t.

        Args:
            outputs: y, (N, …).
            targets: t, in the same shape; or for outputs (N, K), integers (N,) from 0 to K − 1.

        Raises:
            ConfigError: Targets of another form, or a class beyond these.
        """
        if self._difference.shape != outputs.shape or self._difference.dtype != outputs.dtype:
            self._difference, self._rows = np.empty_like(outputs), np.arange(len(outputs))
        d = self._difference
        if targets.shape == outputs.shape:
            np.subtract(outputs, targets, out=d)
        elif outputs.ndim == 2 and targets.shape == outputs.shape[:1] and np.issubdtype(targets.dtype, np.integer):
            np.copyto(d, outputs)
            try:
                d[self._rows, targets] -= 1  # minus the one-hot rows, without making them
            except IndexError as error:
                raise _unknown_label(targets, outputs.shape[1]) from error
        else:
            found = f"mean_squared_error: targets {targets.dtype} {targets.shape} for outputs {outputs.shape}"
            raise ConfigError(f"{found}, expected the outputs' shape, or class indices {outputs.shape[:1]} for (N, K)")
        return float(np.vdot(d, d)) / d.size

    def backward(self) -> Array:
        """dy = 2 (y − t) / (N·K), in the outputs' shape, valid until the next call."""
        dy = self._difference
        dy *= 2 / dy.size
        return dy


LOSSES: dict[str, Callable[..., Loss]] = {
    "softmax_cross_entropy": SoftmaxCrossEntropy,
    "open_set_cross_entropy": OpenSetCrossEntropy,
    "mean_squared_error": MeanSquaredError,
}

TAUGHT = {"softmax_cross_entropy", "open_set_cross_entropy"}
"""Those that a teacher can stand beside: see `core.nn.distillation`."""


def _unknown_label(labels: NDArray[np.integer], classes: int) -> ConfigError:
    found = f"label {labels.max()} for {classes} classes, expected 0 to {classes - 1}"
    return ConfigError(f"{found}; images of no class need the loss open_set_cross_entropy")
