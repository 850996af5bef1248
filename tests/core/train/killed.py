"""A small training with everything that a checkpoint must carry; as a script, it can kill itself at a given step."""

import argparse
import hashlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.data import durable
from core.data.batches import Batches
from core.nn.architectures import build
from core.nn.layer import Parameter
from core.nn.sequential import Sequential
from core.optim.average import ExponentialAverage
from core.optim.optimizers import OPTIMIZERS
from core.optim.schedules import Cosine
from core.train.checkpoint import Checkpoint
from core.train.loop import fit
from core.train.report import EpochReport
from core.train.stopping import BestWeights
from core.train.training import Training
from core.train.training_plan import TrainingPlan
from tests.core.train.clouds import clouds, validation_batches

EPOCHS = 6
STEPS_AN_EPOCH = 10
LAYERS = [
    {"kind": "dense", "units": 8},
    {"kind": "batch_norm"},
    {"kind": "residual", "layers": [{"kind": "dense", "units": 8}, {"kind": "relu"}, {"kind": "dropout", "rate": 0.2}]},
    {"kind": "dense", "units": 3},
]


class Noisy(Batches):
    """Adds noise to every batch, as an augmentation would, from a generator of its own."""

    def __init__(self, order: np.random.Generator, noise: np.random.Generator) -> None:
        super().__init__(*clouds(32 * STEPS_AN_EPOCH, 1), batch_size=32, rng=order)
        self._noise = noise

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for x, labels in super().__iter__():
            yield x + self._noise.standard_normal(x.shape, np.float32), labels


class Turning(Cosine):
    """Downhill for three epochs, and uphill from then on, so that early stopping has something to stop."""

    def __call__(self, step: int, steps: int, losses: Sequence[float] = ()) -> float:
        factor = super().__call__(step, steps, losses)
        return factor if step < 3 * STEPS_AN_EPOCH else -factor


def begin(kind: str = "adam", *, average: bool = True, best: bool = True) -> Training:
    return Training(
        network=build((2,), LAYERS, rng=np.random.default_rng(0)),
        optimizer=OPTIMIZERS[kind](),
        generators={"order": np.random.default_rng(1), "noise": np.random.default_rng(2)},
        average=ExponentialAverage(0.9) if average else None,
        best=BestWeights() if best else None,
    )


def reports(training: Training, **changes: Any) -> Iterator[EpochReport]:
    options: dict[str, Any] = {
        "epochs": EPOCHS,
        "learning_rate": 0.01,
        "schedule": Turning(),
        "diagnose_every": 7,
        "threads": 1,
    }
    batches = Noisy(training.generators["order"], training.generators["noise"])
    yield from fit(training, batches, validation_batches(), TrainingPlan(**options | changes))


def train(checkpoint: Checkpoint, training: Training, **changes: Any) -> bool:
    """Train to the end, from where the checkpoint stands; returns whether there was one."""
    resumed = checkpoint.load(training)
    for _ in reports(training, **changes):
        checkpoint.save(training)
    return resumed


def digest(network: Sequential) -> str:
    whole = hashlib.sha256()
    for name, array in network.state().items():
        whole.update(name.encode() + array.tobytes())
    return whole.hexdigest()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--kind", default="adam")
    parser.add_argument("--patience", type=int, default=0)
    parser.add_argument("--at-step", type=int, help="Die once so many steps have been made.")
    parser.add_argument("--at-save", type=int, help="Die within the k-th save, with half of the file written.")
    options = parser.parse_args()
    training = begin(options.kind)
    step, fsync, saves = training.optimizer.step, os.fsync, 0

    def deadly_step(parameter: Parameter, learning_rate: float) -> None:
        step(parameter, learning_rate)
        if training.optimizer.steps == options.at_step:
            _die()

    def deadly_fsync(file: int) -> None:
        nonlocal saves
        saves += 1
        if saves == 2 * options.at_save - 1:  # each save syncs its file, then its folder
            os.ftruncate(file, 1000)
            _die()
        fsync(file)

    if options.at_step:
        training.optimizer.step = deadly_step  # type: ignore[method-assign]
    if options.at_save:
        durable.os.fsync = deadly_fsync  # type: ignore[attr-defined]
    resumed = train(Checkpoint(options.path, "a training"), training, patience=options.patience)
    print("resumed" if resumed else "new", len(training.reports), digest(training.network))


if __name__ == "__main__":
    main()
