"""Three clouds of points, and a small network that can learn to part them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.data.batches import Batches
from core.nn.architectures import build
from core.nn.sequential import Sequential
from core.optim.optimizers import SGD
from core.train.loop import fit
from core.train.report import EpochReport
from core.train.training import Training
from core.train.training_plan import TrainingPlan

CENTERS = np.array([[4, 0], [-2, 3.5], [-2, -3.5]])
"""Three clouds of spread 0.5, so far apart that straight lines part them."""


def clouds(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CENTERS)
    return (CENTERS[labels] + 0.5 * rng.standard_normal((count, 2))).astype(np.float32), labels.astype(np.uint8)


def small_network(seed: int = 0) -> Sequential:
    layers = [{"kind": "dense", "units": 8}, {"kind": "relu"}, {"kind": "dense", "units": 3}]
    return build((2,), layers, rng=np.random.default_rng(seed))


def train_batches(seed: int = 0, count: int = 300, batch_size: int = 32) -> Batches:
    return Batches(*clouds(count, 1), batch_size=batch_size, rng=np.random.default_rng(seed))


def validation_batches() -> Batches:
    return Batches(*clouds(90, 2), batch_size=50)


def train_on_clouds(network: Sequential, **changes: Any) -> Iterator[EpochReport]:
    """Train on the clouds: three epochs of SGD, unless the changes to state, batches or plan say otherwise."""
    train, validation = changes.pop("train", None), changes.pop("validation", None)
    state = {name: changes.pop(name) for name in ("optimizer", "average", "best") if name in changes}
    resumed = Training(network, **{"optimizer": SGD()} | state, reports=list(changes.pop("history", ())))
    plan = TrainingPlan(**{"epochs": 3, "learning_rate": 0.1, "threads": 1} | changes)
    return fit(resumed, train or train_batches(), validation or validation_batches(), plan)
