"""Losses: one number that says how wrong a batch is, and its gradient, where backpropagation begins."""

import numpy as np
from numpy.typing import NDArray

from core.nn.layer import Array


def softmax(logits: Array, out: Array | None = None) -> Array:
    """exp(z_k) / Σ_j exp(z_j), row by row: positive numbers that sum to 1.

    Args:
        logits: z, (N, K), any real numbers.
        out: Where to write; may be `logits` itself.

    Returns:
        (N, K), same dtype.
    """
    # Subtracting the row's maximum changes nothing (it cancels), and exp then never overflows: float32 ends near e⁸⁸.
    p: Array = np.subtract(logits, logits.max(axis=1, keepdims=True), out=out)
    np.exp(p, out=p)
    p /= p.sum(axis=1, keepdims=True)
    return p


class SoftmaxCrossEntropy:
    """L = −(1/N) Σ_n log p[n, t_n], where p = softmax(z) and t_n is the true class of image n.

    It is the negative log-likelihood of the labels (Goodfellow, Bengio & Courville 2016, §6.2.2). With
    log p_t = z_t − log Σ_j exp(z_j), the derivative is one line: ∂(−log p_t)/∂z_k = p_k − [k = t]. So

        dz = (p − onehot(t)) / N

    Softmax and logarithm are taken together because apart they lose all precision where p_t is near 0.
    """

    def __init__(self) -> None:
        self._p: Array = np.empty((0, 0), np.float32)
        self._labels: NDArray[np.integer] = np.empty(0, np.intp)
        self._rows = np.empty(0, np.intp)

    @property
    def probabilities(self) -> Array:
        """p of the last forward pass, (N, K), until `backward` writes over it."""
        return self._p

    def forward(self, logits: Array, labels: NDArray[np.integer]) -> float:
        """The mean loss of the batch, in nats.

        Args:
            logits: z, (N, K).
            labels: t, (N,), integers from 0 to K − 1.
        """
        if self._p.shape != logits.shape or self._p.dtype != logits.dtype:
            self._p, self._rows = np.empty_like(logits), np.arange(len(logits))
        z = np.subtract(logits, logits.max(axis=1, keepdims=True), out=self._p)
        z_true = z[self._rows, labels]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        self._p /= total
        self._labels = labels
        return float(np.mean(np.log(total[:, 0]) - z_true))

    def backward(self) -> Array:
        """dz = (p − onehot(t)) / N, (N, K), valid until the next call."""
        dz = self._p
        dz[self._rows, self._labels] -= 1
        dz /= len(dz)
        return dz
