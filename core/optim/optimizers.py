"""Update rules. An optimizer owns its state and no parameter; the learning rate of each step is handed in."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from core.nn.layer import Parameter


class Optimizer(ABC):
    """Turns gradients into a step, in place."""

    @abstractmethod
    def step(self, parameter: Parameter, learning_rate: float) -> None:
        """Update `parameter.value` from `parameter.grad`: usually a network's whole `vector` at once."""


class SGD(Optimizer):
    """w ← (1 − η λ) w − η g: one step down the slope (Robbins & Monro 1951; Bottou 2010, eq. 3).

    η is the learning rate and g the gradient of one mini-batch, a noisy estimate of the whole training set's. λ pulls
    every weight a little towards 0, so that the network explains the data with weights no larger than it needs
    (decoupled weight decay: Loshchilov & Hutter 2019, eq. 1; for plain SGD it equals an L2 penalty).
    """

    def __init__(self, *, weight_decay: float = 0.0) -> None:
        if not 0 <= weight_decay < 1:
            raise ConfigError(f"sgd: weight_decay = {weight_decay}, expected at least 0 and below 1")
        self.weight_decay = weight_decay
        self._step: NDArray[Any] = np.empty(0)

    def step(self, parameter: Parameter, learning_rate: float) -> None:
        """w ← (1 − η λ) w − η g."""
        w, g = parameter.value, parameter.grad
        if self._step.shape != w.shape or self._step.dtype != w.dtype:
            self._step = np.empty_like(w)
        if self.weight_decay:
            w *= 1 - learning_rate * self.weight_decay
        np.multiply(g, learning_rate, out=self._step)
        w -= self._step


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
}
