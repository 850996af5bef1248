"""The step that trains: one network, or the members of an ensemble one after another.

What decides the weights is in `core`, which the fingerprint covers. Here the data is read, progress is reported, and
results are kept: every network has a folder named after its fingerprint, with a checkpoint after each epoch and the
weights at the end. A run that was interrupted is resumed from there, and an ensemble takes over members that are
trained already.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Preprocessing
from core.data.batches import Batches
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.data.split import Split
from core.errors import TrainingError
from core.nn.ensemble import combine
from core.train.checkpoint import Checkpoint
from core.train.loop import fit
from core.train.report import EpochReport
from core.train.training import Training
from core.train.training import batches as batches_of
from core.train.training_plan import TrainingPlan
from pipelines import provenance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.report.diagnosis import diagnose
from pipelines.retrain import teaching
from pipelines.voice import say

HISTORY = TypeAdapter(
    tuple[EpochReport, ...],
    config=ConfigDict(ser_json_inf_nan="constants"),  # an activation may hide an infinite output from every loss
)
"""Epoch reports as they are stored; for an ensemble, those of all members in turn."""

HISTORY_FILE = "history.json"
"""What the epoch reports are called in a work folder, and in a published version."""

_DONE = "trained.json"


def train(
    dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, work: Path, on_epoch: Callable[[EpochReport], None]
) -> TrainedRef:
    """Train, or resume an interrupted run of the same data, recipe and code after its last complete epoch.

    Args:
        dataset: What to train on and to validate with.
        preprocessing: The fitted normalizer.
        recipe: How to train.
        work: The folder of this run.
        on_epoch: Called after each epoch.
    """
    members = recipe.members()
    if len(members) == 1:
        return _train_one(dataset, preprocessing, members[0], work, on_epoch)
    trained = []
    for number, member in enumerate(members, start=1):
        say(f"member {number} of {len(members)}, seed {member.train.seed}:")
        trained.append(_train_one(dataset, preprocessing, member, _place(dataset, member, work), on_epoch))
    weights = [weights_file.decode(member.weights.read(), name=str(member.weights.path)) for member in trained]
    history = [report for member in trained for report in HISTORY.validate_json(member.history.read())]
    return _store(work, weights_file.encode(combine(weights)), history)


def folders(dataset: DatasetRef, recipe: Recipe, work: Path) -> set[Path]:
    """The folders that a run works in: its own and, for an ensemble, those of its members."""
    return {work, *(_place(dataset, member, work) for member in recipe.members())}


def clear(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    """Remove what a run kept for the case of an interruption. The caller holds the folders, see `retrain.work`."""
    for folder in folders(dataset, recipe, work):
        shutil.rmtree(folder, ignore_errors=True)


def split(dataset: DatasetRef, recipe: Recipe) -> Split:
    """Which images train and which validate."""
    return Split.random(dataset.train_images, recipe.data.validation_images, seed=recipe.data.split_seed)


def train_split(dataset: DatasetRef, recipe: Recipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What is trained on: the training split, and after it what was drawn and what is new.

    Returns:
        Images (N, 28, 28) and labels (N,).
    """
    train, _ = _divided(dataset, recipe)
    return train.images, train.labels


def normalizer(preprocessing: FileRef) -> Normalizer:
    """As it was fitted and stored."""
    fitted = Preprocessing.model_validate_json(preprocessing.read())
    return Normalizer(fitted.mean, fitted.std)


def plan(recipe: Recipe) -> TrainingPlan:
    """How a single network is trained from the labels alone."""
    return TrainingPlan.of(recipe.train.model_dump())


def taught_plan(dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe) -> TrainingPlan:
    """How a single network is trained, by its teacher too, if the recipe names one.

    Raises:
        ConfigError: The data names no teacher, or another one.
        ArtifactError: The teacher cannot be read.
    """
    labeled, section = plan(recipe), recipe.train.teacher
    ref = teaching.check(recipe, dataset)
    if section is None or ref is None:
        return labeled
    teacher, student = teaching.load(ref, section), normalizer(preprocessing)
    return replace(labeled, loss=lambda: teacher.beside(labeled.loss(), student))


def begin(recipe: Recipe) -> Training:
    """The training of a single network, at its beginning."""
    return Training.begin(plan(recipe), recipe.model.input_shape, recipe.layers)


def batches(dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, training: Training) -> tuple[Batches, Batches]:
    """To train on and to validate with."""
    return batches_of(training, plan(recipe), normalizer(preprocessing), *_divided(dataset, recipe))


def _divided(dataset: DatasetRef, recipe: Recipe) -> tuple[Labeled, Labeled]:
    """The images that train and those that validate."""
    mnist = read_mnist(dataset.files)
    new = dataset.new_data.training if dataset.new_data else None
    added = [Labeled.unpack(packed.read()) for packed in (dataset.styles, new) if packed]
    return split(dataset, recipe).divide(Labeled(mnist.train_images, mnist.train_labels), *added)


def _place(dataset: DatasetRef, member: Recipe, work: Path) -> Path:
    """The folder of one network, beside the run's: the same for a member as for the network trained alone."""
    return work.parent / provenance.fingerprint(dataset.deciding, member)[:16]


def _train_one(
    dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, work: Path, on_epoch: Callable[[EpochReport], None]
) -> TrainedRef:
    trained = TrainedRef.recall(work / _DONE)
    if trained and trained.weights.holds() and trained.history.holds():
        say("trained: an earlier run was interrupted after training; its weights are reused")
        return trained
    checkpoint = Checkpoint(work / "train.checkpoint", provenance.fingerprint(dataset.deciding, recipe))
    training = _resumed(checkpoint, recipe)
    train_batches, validation_batches = batches(dataset, preprocessing, recipe, training)
    taught = taught_plan(dataset, preprocessing, recipe)
    for report in fit(training, train_batches, validation_batches, taught):
        checkpoint.save(training)
        on_epoch(report)
    say(_outcome(training))
    for finding in diagnose(training.reports):
        say(f"{finding.name}: {finding.sentence}")
    return _store(work, weights_file.encode(training.network.state()), training.reports)


def _resumed(checkpoint: Checkpoint, recipe: Recipe) -> Training:
    """The training as its checkpoint has it; at its beginning if there is no checkpoint, or none to rely on."""
    training = begin(recipe)
    try:
        if checkpoint.load(training):
            say(f"training was interrupted: it goes on after epoch {len(training.reports)} of {recipe.train.epochs}")
    except TrainingError as error:
        say(f"training starts again from the beginning: {error}")
        return begin(recipe)
    return training


def _outcome(training: Training) -> str:
    """The last line about a training: how long, how well, and why it ended where it did."""
    reports, best = training.reports, training.best
    last = reports[-1]
    kept = last if best is None else reports[best.epoch - 1]
    epochs = "1 epoch" if last.epoch == 1 else f"{last.epoch} epochs"
    words = f"trained: {epochs} in {sum(report.seconds for report in reports):.1f} s"
    if last.stopped:
        words = f"{words} (of {last.epochs} planned; stopped early: {last.stopped})"
    if kept is not last:
        words = f"{words}, the weights of epoch {kept.epoch} kept"
    return f"{words}, validation accuracy {kept.validation_accuracy:.2%}"


def _store(work: Path, weights: bytes, reports: list[EpochReport]) -> TrainedRef:
    trained = TrainedRef(
        weights=FileRef.store(work / WEIGHTS, weights),
        history=FileRef.store(work / HISTORY_FILE, HISTORY.dump_json(tuple(reports))),
    )
    FileRef.store(work / _DONE, trained.model_dump_json().encode())  # last: a rerun may now rely on the two
    return trained
