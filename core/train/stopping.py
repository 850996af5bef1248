"""Early stopping: when to stop because the validation loss no longer falls, and which weights to keep.

Progress is judged by the loss, not by the accuracy: the loss depends on how sure each answer is, while the accuracy
moves in steps of one image and stays the same for many epochs. (The two may disagree: an overfitting network can become
too sure of its mistakes, which raises its loss, while it still learns to read a few more images.)
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from core.nn.sequential import Sequential


def gave_up(losses: Sequence[float], patience: int) -> str | None:
    """Why training stops after these epochs (Goodfellow, Bengio & Courville 2016, algorithm 7.1); None if it continues.

    Args:
        losses: The validation loss after each epoch so far.
        patience: How many epochs in a row without a lower loss end the training; 0 never ends it.
    """
    if not losses or not patience:
        return None
    best = losses.index(min(losses))
    waited = len(losses) - 1 - best
    epochs = "1 epoch" if waited == 1 else f"{waited} epochs"
    return f"no lower validation loss in {epochs} than after epoch {best + 1}" if waited >= patience else None


class BestWeights:
    """The network as it was after the epoch with the lowest validation loss.

    Attributes:
        epoch: Which epoch that was, from 1; 0 before the first.
        loss: Its validation loss, in nats.
    """

    def __init__(self) -> None:
        self.epoch, self.loss = 0, inf
        self._kept: dict[str, NDArray[Any]] = {}

    def offer(self, network: Sequential, epoch: int, loss: float) -> None:
        """Keep a copy of the network's parameters and buffers if this loss is lower than all before."""
        if loss < self.loss:
            self.epoch, self.loss, self._kept = epoch, loss, network.state()

    def restore(self, network: Sequential) -> None:
        """Load what was kept into the network; before the first offer, this is a no-op."""
        if self.epoch:
            network.load_state(self._kept)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the next offer depends on: epoch, loss, and the arrays that were kept, e.g. `kept.0.dense.W`."""
        kept = {f"kept.{name}": array.copy() for name, array in self._kept.items()}
        return {"epoch": np.array(self.epoch, np.int64), "loss": np.array(self.loss, np.float64)} | kept

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a `state()`.

        Raises:
            TrainingError: The names are not those of best weights; nothing was changed.
        """
        kept = {name.removeprefix("kept."): np.array(a) for name, a in state.items() if name.startswith("kept.")}
        if state.keys() - {f"kept.{name}" for name in kept} != {"epoch", "loss"} or bool(state["epoch"]) != bool(kept):
            raise TrainingError(f"best weights: a state of {', '.join(sorted(state)) or 'nothing'}")
        self.epoch, self.loss, self._kept = int(state["epoch"]), float(state["loss"]), kept
