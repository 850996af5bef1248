"""The step that trains: one network, or the members of an ensemble one after another.

Every network has a folder of its own, named after its fingerprint, with a checkpoint after each epoch and its weights
at the end. So a run that was cut off goes on where it stood, and an ensemble takes over the members that are trained.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter

from core.artifact import weights as weights_file
from core.artifact.manifest import WEIGHTS, Preprocessing
from core.data.augment import augmenter
from core.data.batches import Batches, Split
from core.data.normalize import Normalizer
from core.errors import TrainingError
from core.nn.ensemble import combine
from core.nn.losses import LOSSES
from core.optim.average import ExponentialAverage
from core.optim.optimizers import OPTIMIZERS
from core.optim.schedules import schedule_from
from core.registry import construct
from core.train.checkpoint import Checkpoint, Training
from core.train.loop import EpochReport, fit
from core.train.stopping import BestWeights
from pipelines import provenance
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.retrain import feedback
from pipelines.voice import say

HISTORY = TypeAdapter(
    tuple[EpochReport, ...],
    config=ConfigDict(ser_json_inf_nan="constants"),  # an activation may hide an infinite output from every loss
)
"""Epoch reports as they are stored; of an ensemble, one member's after the other's."""

_DONE = "trained.json"
_VALIDATION_BATCH = 500


def train(
    dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, work: Path, on_epoch: Callable[[EpochReport], None]
) -> TrainedRef:
    """Train, or go on where an interrupted run of the same data, recipe and code was after its last whole epoch."""
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


def clear(dataset: DatasetRef, recipe: Recipe, work: Path) -> None:
    """Remove what a run kept for the case that it would be interrupted."""
    for folder in (work, *(_place(dataset, member, work) for member in recipe.members())):
        shutil.rmtree(folder, ignore_errors=True)
    if dataset.feedback:
        dataset.feedback.path.unlink(missing_ok=True)


def split(dataset: DatasetRef, recipe: Recipe) -> Split:
    """Which images train and which validate."""
    rng = np.random.default_rng(recipe.data.split_seed)
    return Split.random(dataset.train_images, recipe.data.validation_images, rng)


def train_split(dataset: DatasetRef, recipe: Recipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What is trained on: the training split, and after it what users sent.

    Returns:
        Images (N, 28, 28) and labels (N,).
    """
    mnist, rows = read_mnist(dataset.files), split(dataset, recipe).train
    images, labels = mnist.train_images[rows], mnist.train_labels[rows]
    if dataset.feedback is None:
        return images, labels
    added, digits = feedback.unpack(dataset.feedback.read())
    return np.concatenate([images, added]), np.concatenate([labels, digits])


def normalizer(preprocessing: FileRef) -> Normalizer:
    """As it was fitted and stored."""
    fitted = Preprocessing.model_validate_json(preprocessing.read())
    return Normalizer(fitted.mean, fitted.std)


def _place(dataset: DatasetRef, member: Recipe, work: Path) -> Path:
    """The folder of one network, beside the run's: the same for a member as for the network trained alone."""
    return work.parent / provenance.fingerprint(dataset.deciding, member)[:16]


def _train_one(
    dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, work: Path, on_epoch: Callable[[EpochReport], None]
) -> TrainedRef:
    done = work / _DONE
    if done.is_file():
        trained = TrainedRef.model_validate_json(done.read_bytes())
        if trained.weights.holds() and trained.history.holds():
            say("trained: an earlier run was interrupted after training; its weights are taken")
            return trained
    options = recipe.train
    checkpoint = Checkpoint(work / "train.checkpoint", provenance.fingerprint(dataset.deciding, recipe))
    training = _resumed(checkpoint, recipe)
    reports = training.reports
    train_batches, validation_batches = batches(dataset, preprocessing, recipe, training)
    for report in fit(
        training.network,
        training.optimizer,
        train_batches,
        validation_batches,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        schedule=schedule_from(options.schedule),
        clip_norm=options.clip_norm or None,
        average=training.average,
        patience=options.patience,
        best=training.best,
        diagnose_every=options.diagnose_every,
        history=reports,
        loss=partial(construct, LOSSES, options.loss),
        shards=options.shards,
        threads=options.threads,
    ):
        reports.append(report)
        checkpoint.save(training)
        on_epoch(report)
    say(_outcome(training))
    return _store(work, weights_file.encode(training.network.state()), reports)


def batches(dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, training: Training) -> tuple[Batches, Batches]:
    """To train on and to validate with. Without augmentation, everything is normalized once, at the start."""
    mnist, scale = read_mnist(dataset.files), normalizer(preprocessing)
    options, shape = recipe.train, training.network.input_shape

    def normalized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return scale.apply(images).reshape(-1, *shape)

    held_out = split(dataset, recipe).validation
    x = normalized(mnist.train_images[held_out])
    validation = Batches(x, mnist.train_labels[held_out], batch_size=_VALIDATION_BATCH)
    (images, labels), order = train_split(dataset, recipe), training.generators["order"]
    if not options.augment:
        return Batches(normalized(images), labels, batch_size=options.batch_size, rng=order), validation
    augment = augmenter(options.augment)

    def prepare(batch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
        changed = augment(batch, rng)
        return scale.apply(changed, out=changed).reshape(-1, *shape)

    training_batches = Batches(
        images,
        labels,
        batch_size=options.batch_size,
        rng=order,
        prepare=prepare,
        workers=options.workers,
    )
    return training_batches, validation


def _resumed(checkpoint: Checkpoint, recipe: Recipe) -> Training:
    """A training that stands where its checkpoint says; without a checkpoint to rely on, at its beginning."""
    training = begin(recipe)
    try:
        if checkpoint.load(training):
            say(f"training was interrupted: it goes on after epoch {len(training.reports)} of {recipe.train.epochs}")
    except TrainingError as error:
        say(f"training starts again from the beginning: {error}")
        return begin(recipe)
    return training


def begin(recipe: Recipe) -> Training:
    """A training at its beginning: random weights, and nothing done yet."""
    options = recipe.train
    rng = np.random.default_rng(options.seed)
    return Training(
        network=recipe.build(rng),
        optimizer=construct(OPTIMIZERS, options.optimizer),
        generators={"order": rng},
        average=ExponentialAverage(options.ema_decay) if options.ema_decay else None,
        best=BestWeights() if options.keep_best else None,
    )


def _outcome(training: Training) -> str:
    """The last line about a training: how long, how well, and why it ended where it did."""
    reports, best = training.reports, training.best
    last = reports[-1]
    kept = last if best is None else reports[best.epoch - 1]
    words = f"trained: {last.epoch} epochs in {sum(report.seconds for report in reports):.1f} s"
    if last.stopped:
        words = f"{words} (of {last.epochs} planned; stopped early: {last.stopped})"
    if kept is not last:
        words = f"{words}, the weights of epoch {kept.epoch} kept"
    return f"{words}, validation accuracy {kept.validation_accuracy:.2%}"


def _store(work: Path, weights: bytes, reports: list[EpochReport]) -> TrainedRef:
    trained = TrainedRef(
        weights=FileRef.store(work / WEIGHTS, weights),
        history=FileRef.store(work / "history.json", HISTORY.dump_json(tuple(reports))),
    )
    FileRef.store(work / _DONE, trained.model_dump_json().encode())  # last: a rerun may now rely on the two
    return trained
