"""The training of one variant, in a process of its own: a study's part for `pipelines.workers`."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.data.split import Split
from core.errors import DivergenceError
from core.train.loop import fit, measure
from core.train.training import batches
from pipelines import provenance
from pipelines.recipe import Recipe
from pipelines.references import FileRef, read_mnist
from pipelines.retrain.training import begin, plan
from pipelines.study.variant_outcome import Outcome

__all__ = ["TrialRun", "train_variant"]


@dataclass(frozen=True)
class TrialRun:
    """One variant to train: all that decides its outcome.

    Attributes:
        name: Of the variant.
        files: The four files of MNIST.
        recipe: Of a single network; see `Variant.resolved`.
        images: How many of the training images to train on.
    """

    name: str
    files: Mapping[str, FileRef]
    recipe: Recipe
    images: int

    def __str__(self) -> str:
        return f"variant {self.name}"

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that decides the outcome: data, images, recipe and code."""
        data = {name: file.sha256 for name, file in self.files.items()}
        here = provenance.digest_of_sources("pipelines/study/trial_run.py")
        return provenance.fingerprint(data | {"images": str(self.images), "study": here}, self.recipe)


def train_variant(run: TrialRun) -> Outcome:
    """Train one variant. A training that diverges is an outcome like any other.

    The images are drawn at random from the training split, by the seed of the split: the same for all variants, and
    those of a smaller study are among those of a larger one.
    """
    mnist, recipe = read_mnist(run.files), run.recipe
    split = Split.random(len(mnist.train_images), recipe.data.validation_images, seed=recipe.data.split_seed)
    train, validation = split.divide(Labeled(mnist.train_images, mnist.train_labels))
    train = train.rows(np.random.default_rng(recipe.data.split_seed).permutation(len(train))[: run.images])
    training = begin(recipe)
    normalizer = Normalizer.of(recipe.data.normalize, train.images)
    train_batches, validation_batches = batches(training, plan(recipe), normalizer, train, validation)
    with np.errstate(over="ignore", invalid="ignore"):
        initial_loss, initial_accuracy = measure(training.network, validation_batches)
    diverged, started = None, perf_counter()
    try:
        for _ in fit(training, train_batches, validation_batches, plan(recipe)):
            pass
    except DivergenceError as error:
        diverged = str(error)
    best, epochs = training.best, len(training.reports)
    return Outcome(
        history=tuple(training.reports),
        initial_loss=initial_loss,
        initial_accuracy=initial_accuracy,
        parameters=training.network.vector.value.size,
        seconds=perf_counter() - started,
        images=len(train),
        validation_images=len(validation),
        diverged=diverged,
        kept_epoch=best.epoch if best is not None else epochs,
    )
