"""What every loss does: one number for a batch, and the gradient from which backpropagation begins."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.kernels.arrays import Array


class Loss(ABC):
    """How wrong the outputs of a batch are. Its `backward` gives the gradient that the last layer's starts from."""

    def see(self, x: Array, /) -> None:  # noqa: B027 — of most losses, nothing is asked
        """Look at the inputs of the batch whose outputs follow, (N, …). Only a loss that asks a teacher needs to."""

    @abstractmethod
    def forward(self, outputs: Array, targets: NDArray[Any], /) -> float:
        """The batch's loss.

        Args:
            outputs: What the last layer returned, (N, …).
            targets: What it should have returned; each loss documents the form.
        """

    @abstractmethod
    def backward(self) -> Array:
        """∂L/∂outputs for the last `forward`, in the outputs' shape, valid until the next call.

        Called at most once for each `forward`, whose results it overwrites.
        """

    def predicted(self, outputs: Array, /) -> NDArray[np.intp]:
        """The label that the outputs (N, K) make most probable for each image, (N,): that of the largest."""
        largest: NDArray[np.intp] = outputs.argmax(axis=1)
        return largest
