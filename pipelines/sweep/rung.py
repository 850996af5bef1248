"""`Rung`: an epoch of one training, which is what a worker does at a time.

A worker is handed the training as its checkpoint, and hands back the next one. So it needs no folder in common with the
coordinator, any worker can go on with any training, and a death costs one epoch. The worker that did the epoch before
has the training still in memory, and takes it from there; the bits are the same.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from core.artifact import weights as weights_file
from core.data.batches import Batches
from core.errors import ConfigError, DivergenceError, TrainingError
from core.train.checkpoint import Checkpoint
from core.train.loop import fit
from core.train.training import Training
from core.train.training_plan import TrainingPlan
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef
from pipelines.retrain import steps, training
from pipelines.retrain.run import Run
from pipelines.settings import Settings
from pipelines.sweep.course import Epoch

__all__ = ["Climbed", "Rung", "climb"]


@dataclass(frozen=True)
class Rung:
    """What to train.

    Attributes:
        name: Of the training, for people.
        recipe: A single network.
        dataset: What to train on and to validate with.
        mirrors: Where the data set comes from, if it is not on the worker's machine.
        fingerprint: Of data, recipe and code.
        epochs: How many are to be done when the worker answers.
        checkpoint: The training so far; None at its beginning.
    """

    name: str
    recipe: Recipe
    dataset: DatasetRef
    mirrors: tuple[str, ...]
    fingerprint: str
    epochs: int
    checkpoint: bytes | None

    def __str__(self) -> str:
        return f"{self.name}, epoch {self.epochs}"


@dataclass(frozen=True)
class Climbed:
    """What came of it.

    Attributes:
        cpu_seconds: Of the worker's process.
        epochs: All that are done, from the first; empty if the training failed.
        kept: The epoch whose weights count, from 1.
        checkpoint: The training as it is now.
        ended: Whether no further epoch follows.
        weights_sha256: Of the weights, if it has ended.
        failure: Why the training cannot go on; empty otherwise.
    """

    cpu_seconds: float
    epochs: tuple[Epoch, ...] = ()
    kept: int = 0
    checkpoint: bytes | None = None
    ended: bool = False
    weights_sha256: str = ""
    failure: str = ""


@dataclass
class _Live:
    """A training in memory, with its batches."""

    rung: Rung
    training: Training
    train: Batches
    validation: Batches
    plan: TrainingPlan


_here = threading.local()
"""What this thread trained last, if it goes on: `_here.live`. A worker of a Dask cluster may have several threads."""


def climb(rung: Rung) -> Climbed:
    """Train until the wanted number of epochs is done. Done again, it comes to the same.

    Raises:
        ConfigError: The worker cannot have the data.
        NumeralError: The data or the checkpoint is not what was referred to.
    """
    started = time.process_time()
    try:
        live = _taken_up(rung)
        _train(live, rung)
        climbed = _climbed(live.training, rung, started)
    except (DivergenceError, MemoryError) as error:  # what a trial finds about its values, and no failure of the sweep
        reason = str(error) or "it needs more memory than the worker has"
        return Climbed(cpu_seconds=time.process_time() - started, failure=reason)
    if not climbed.ended:
        _here.live = live
    return climbed


def _taken_up(rung: Rung) -> _Live:
    """The training as it was after the rung before: no longer in memory, as an error may leave it within an epoch."""
    live: _Live | None = getattr(_here, "live", None)
    _here.live = None
    if live and live.rung.fingerprint == rung.fingerprint and len(live.training.reports) == rung.epochs - 1:
        return live
    live = None  # its images go before those of the next one come
    begun = _begun(rung)
    with TemporaryDirectory() as folder:
        run = Run(
            dataset=_local(rung.dataset, rung.mirrors),
            recipe=rung.recipe,
            fingerprint=rung.fingerprint,
            work=Path(folder),
        )
        run = steps.draw(run)
        preprocessing = steps.fit_normalizer(run)
        batches = training.batches(run.dataset, preprocessing, rung.recipe, begun)
        plan = training.taught_plan(run.dataset, preprocessing, rung.recipe)
    return _Live(rung, begun, *batches, plan)


def _begun(rung: Rung) -> Training:
    """The training as its checkpoint has it; at its beginning if there is none, or none to rely on."""
    begun = training.begin(rung.recipe)
    if rung.checkpoint is None:
        return begun
    with TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint"
        file.write_bytes(rung.checkpoint)
        try:
            Checkpoint(file, rung.fingerprint).load(begun)
        except TrainingError:
            return training.begin(rung.recipe)
    return begun


def _train(live: _Live, rung: Rung) -> None:
    missing = max(0, rung.epochs - len(live.training.reports))
    for _ in islice(fit(live.training, live.train, live.validation, live.plan), missing):
        pass


def _climbed(live: Training, rung: Rung, started: float) -> Climbed:
    plan = training.plan(rung.recipe)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoint"
        Checkpoint(file, rung.fingerprint).save(live)
        checkpoint = file.read_bytes()
    ended, digest = live.ended(plan), ""
    if ended:
        if live.best is not None:
            live.best.restore(live.network)
        digest = sha256(weights_file.encode(live.network.state())).hexdigest()
    return Climbed(
        cpu_seconds=time.process_time() - started,
        epochs=tuple(
            Epoch(
                train_loss=report.train_loss,
                validation_loss=report.validation_loss,
                validation_accuracy=report.validation_accuracy,
            )
            for report in live.reports
        ),
        kept=(live.best.epoch if live.best else 0) or len(live.reports),
        checkpoint=checkpoint,
        ended=ended,
        weights_sha256=digest,
    )


def _local(dataset: DatasetRef, mirrors: Sequence[str]) -> DatasetRef:
    """The same data set, on this machine: MNIST is downloaded here if the coordinator's files are elsewhere."""
    new = dataset.new_data.training if dataset.new_data else None
    if new and not new.path.is_file():
        raise ConfigError(
            f"{new.path}: this worker has no such file, which holds the new data; give all workers the folder of "
            "--data-dir, or sweep without NUMERAL_EXTRA and NUMERAL_FEEDBACK"
        )
    if all(file.path.is_file() for file in dataset.files.values()):
        return dataset
    settings = Settings()
    fetched = steps.download(settings.data_dir, (*mirrors, *settings.mirrors))
    return dataset.model_copy(update={"files": _as_expected(fetched, dataset.files)})


def _as_expected(fetched: Mapping[str, FileRef], wanted: Mapping[str, FileRef]) -> dict[str, FileRef]:
    """The downloaded files, with the digests that the coordinator's have: each is checked when it is read."""
    if missing := wanted.keys() - fetched.keys():
        raise TrainingError(f"the worker's download lacks {', '.join(sorted(missing))}; is its code the coordinator's?")
    return {name: FileRef(path=fetched[name].path, sha256=ref.sha256) for name, ref in wanted.items()}
