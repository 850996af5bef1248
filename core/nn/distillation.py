"""Distillation: learning from what a teacher says of an image, beside its label."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.kernels.arrays import Array, Scratch
from core.kernels.logarithms import log_softmax
from core.nn.loss import Loss
from core.nn.losses import OpenSetCrossEntropy, SoftmaxCrossEntropy

Answer = Callable[[Array], Array]
"""From the inputs of a batch, (N, …), to a teacher's logits for them, (N, K), which may be overwritten."""


class Distillation(Loss):
    """The mean of two losses: one from the labels, and one from a teacher's answers to the same images.

    A label says that an image is a 4. A good network also says that it could have been a 9, and no 6 at all: of what it
    has learned, most lies in these small probabilities (Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a
    Neural Network"). So a small network that imitates a large one, or an ensemble, becomes better than from the labels
    alone, and costs no more to use. With the student's logits z and the teacher's v, and a temperature τ that makes
    small probabilities larger,

        p = softmax(z / τ)        q = softmax(v / τ)
        L = (1/N) Σ_n (1 − α) ℓ_n + α τ² Σ_k q[n, k] log (q[n, k] / p[n, k])

    where ℓ_n is the loss of the label. The second term is the Kullback-Leibler divergence of p from q: the paper's
    cross-entropy, less the entropy of q, which no weight can change; so it is 0 where the student answers as its
    teacher does. Its derivative is that of a softmax cross-entropy, times 1/τ for the division of z by τ:

        dz = (1 − α) dℓ + α τ (p − q) / N

    For a large τ, p − q is near (z − v) / (K τ) if both have mean 0 (eq. 3 and 4): both factors τ² and 1/τ² cancel,
    which is why α means about the same at every temperature (§2.1).

    An image without a digit (label K, see `OpenSetCrossEntropy`) has no answer among the K classes to imitate: there,
    α is 0.
    """

    def __init__(
        self,
        labeled: SoftmaxCrossEntropy | OpenSetCrossEntropy,
        answer: Answer,
        *,
        weight: float = 0.5,
        temperature: float = 1.0,
    ) -> None:
        """Put a teacher beside the labels.

        Args:
            labeled: The loss of the labels.
            answer: The teacher, which sees the inputs that the network sees.
            weight: α, from 0 (labels alone) to 1 (teacher alone).
            temperature: τ, above 0.

        Raises:
            ConfigError: Weight or temperature out of range.
        """
        if not 0 <= weight <= 1:
            raise ConfigError(f"distillation: weight = {weight}, expected 0 to 1")
        if not 0 < temperature < np.inf:
            raise ConfigError(f"distillation: temperature = {temperature}, expected a number above 0")
        self._labeled, self._answer = labeled, answer
        self._weight, self._temperature = float(weight), float(temperature)
        self._v: Array = np.empty((0, 0), np.float32)
        self._weights: Array = np.empty((0, 1), np.float32)  # α of each image, (N, 1)
        self._p_less_q: Array = np.empty((0, 0), np.float32)

    def see(self, x: Array) -> None:
        """Ask the teacher about a batch, (N, …)."""
        self._v = self._answer(x)

    def forward(self, logits: Array, labels: NDArray[np.integer]) -> float:
        """The mean loss of the batch that was seen last, in nats.

        Args:
            logits: z, (N, K).
            labels: t, (N,), as the loss of the labels takes them.

        Raises:
            ConfigError: A label beyond these.
        """
        self._labeled.forward(logits, labels)
        tau, digits = self._temperature, labels < logits.shape[1]
        scratch = Scratch(logits.dtype)
        log_p = log_softmax(logits / tau, scratch)
        log_q = log_softmax(self._v / tau, scratch)
        q = np.exp(log_q)
        self._p_less_q = np.exp(log_p) - q
        self._weights = (self._weight * digits).astype(logits.dtype)[:, np.newaxis]
        alpha = self._weights[:, 0]
        each = (1 - alpha) * self._labeled.each + alpha * tau**2 * (q * (log_q - log_p)).sum(axis=1)
        return float(each.sum() / len(each))

    def backward(self) -> Array:
        """dz, (N, K), valid until the next call."""
        dz = self._labeled.backward()
        dz *= 1 - self._weights
        dz += self._temperature / len(dz) * self._weights * self._p_less_q
        return dz

    def predicted(self, logits: Array) -> NDArray[np.intp]:
        """As the loss of the labels."""
        return self._labeled.predicted(logits)
