"""A running average of the weights, which smooths out the noise of the last mini-batches."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.nn.layer import Parameter
from core.optim.optimizers import BLOCK
from core.optim.require import require


class ExponentialAverage:
    """e = Σ_i dⁱ w_{t−i} / Σ_i dⁱ: the mean of the weights after all steps; those of i steps ago have weight dⁱ.

    Mini-batches push the weights about the bottom of the valley; their mean lies nearer to it (Polyak & Juditsky 1992).
    The mean reaches back about 1/(1 − d) steps, and so forgets where training began. Until so many steps have been
    made it is nearly the plain mean; the initial weights are not part of it. As an update, with t counted from 1:

        e ← e + α (w − e),  α = (1 − d) / (1 − dᵗ)

    Only trained parameters are averaged: buffers, such as a batch norm's statistics, are running averages already.

    Attributes:
        decay: d, 0 to below 1.
        updates: t, how often it was updated.
        swapped: Whether the parameter now holds the average, and this object the weights.
    """

    def __init__(self, decay: float) -> None:
        require(0 <= decay < 1, "average", "decay", decay, "at least 0 and below 1")
        self.decay = decay
        self.updates = 0
        self.swapped = False
        self._kept: NDArray[Any] = np.empty(0)
        self._scratch: NDArray[Any] = np.empty(0)

    def update(self, parameter: Parameter) -> None:
        """e ← e + α (w − e). Call it after each step of the optimizer.

        Raises:
            TrainingError: The average is swapped in, or belongs to another parameter.
        """
        if self.swapped:
            raise TrainingError("average: the weights are swapped out; swap them in again before the next step")
        w = parameter.value
        if not self.updates:
            self._kept = np.zeros_like(w)
        self._prepare(w)
        self.updates += 1
        alpha = (1 - self.decay) / (1 - self.decay**self.updates)
        for start in range(0, len(w), BLOCK):
            new, kept = w[start : start + BLOCK], self._kept[start : start + BLOCK]
            difference = np.subtract(new, kept, out=self._scratch[: len(new)])
            difference *= alpha
            kept += difference

    def swap(self, parameter: Parameter) -> None:
        """Exchange weights and average in place: once to evaluate the average, and once more to continue training.

        Raises:
            TrainingError: There is no average yet, or it belongs to another parameter.
        """
        if not self.updates:
            raise TrainingError("average: nothing has been averaged yet; update it after each step")
        w = parameter.value
        self._prepare(w)
        self._scratch[...] = w
        w[...] = self._kept
        self._kept[...] = self._scratch
        self.swapped = not self.swapped

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of all that the next update depends on; `kept` is the average, or the weights while swapped."""
        counts = {"updates": np.array(self.updates, np.int64), "swapped": np.array(self.swapped)}
        return counts | ({"kept": self._kept.copy()} if self.updates else {})

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a `state()`.

        Raises:
            TrainingError: The names are not those of an average; nothing was changed.
        """
        updates = int(state["updates"]) if "updates" in state else 0
        expected = {"updates", "swapped", "kept"} if updates else {"updates", "swapped"}
        if state.keys() != expected:
            found = ", ".join(sorted(state)) or "nothing"
            raise TrainingError(f"average: a state of {found}, expected {', '.join(sorted(expected))}")
        self.updates, self.swapped = updates, bool(state["swapped"])
        self._kept = np.array(state["kept"]) if updates else np.empty(0)

    def _prepare(self, w: NDArray[Any]) -> None:
        kept = self._kept
        if kept.shape != w.shape or kept.dtype != w.dtype:
            raise TrainingError(
                f"average: it is {kept.dtype} {kept.shape}, but the parameter {w.dtype} {w.shape}; "
                "an average belongs to one parameter, and a saved state to the network it was saved with"
            )
        if self._scratch.shape != w.shape or self._scratch.dtype != w.dtype:
            self._scratch = np.empty_like(w)
