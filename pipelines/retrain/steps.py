"""The steps of a retraining, as plain functions from references to references.

Each reads what it needs from disk, checks its digest, and writes its result whole. So each can be run, tested and
retried alone; `pipelines.retrain.tasks` wraps them for Prefect.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from core.artifact import weights as weights_file
from core.artifact.manifest import Architecture, Calibration, DataProvenance, Manifest, Preprocessing, Spread
from core.artifact.repository import Repository
from core.artifact.spread import spread_of
from core.data.mnist import LABELS
from core.data.normalize import Normalizer
from core.errors import DamagedVersionError, VersionNotFoundError
from core.imaging import FRAMING
from core.nn.sequential import Sequential
from pipelines import provenance, sources
from pipelines.promotion.gate import decide
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.report import render_card, render_report
from pipelines.retrain import feedback, training
from pipelines.retrain.measures import Evaluations, Images, as_metrics, as_robustness, measure, sentences
from pipelines.voice import say

LICENSE = "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0"

_EVALUATIONS = TypeAdapter(Evaluations)


def bring(data_dir: Path, mirrors: Sequence[str]) -> dict[str, FileRef]:
    """Fetch the four files, or find them in the cache; each is verified against its pinned digest."""
    fetched = sources.fetch_all(data_dir / "mnist", mirrors=mirrors, say=say)
    return {file.name: FileRef(path=file.path, sha256=file.sha256) for file in fetched}


def verify(files: dict[str, FileRef]) -> DatasetRef:
    """Parse the files once, and check that they make a data set together."""
    mnist = read_mnist(files)
    say(f"verified: {len(mnist.train_images):,} training and {len(mnist.test_images):,} test images of 28×28")
    return DatasetRef(files=files, train_images=len(mnist.train_images), test_images=len(mnist.test_images))


def gather(folder: Path, dataset: DatasetRef, data_dir: Path) -> DatasetRef:
    """Add what users have sent since, where something can be learned from it, to what is trained on."""
    found = feedback.gather(folder, read_mnist(dataset.files), say)
    if found is None:
        return dataset
    name = hashlib.sha256(found).hexdigest()[:16]
    return dataset.model_copy(update={"feedback": FileRef.store(data_dir / "work" / f"feedback-{name}", found)})


def find_unchanged(repository: Repository, fingerprint: str) -> Manifest | None:
    """The newest sound version with this fingerprint: the one that training again would only repeat."""
    for version in reversed(repository.versions()):
        try:
            manifest = repository.manifest(version)
            if manifest.fingerprint == fingerprint:
                repository.read(manifest)
                return manifest
        except DamagedVersionError as error:
            say(f"version {version} is damaged and passed over: {error}")
    return None


def normalize(dataset: DatasetRef, recipe: Recipe, work: Path) -> FileRef:
    """Fit the normalizer on the training split alone."""
    images, _ = training.train_split(dataset, recipe)
    normalizer = Normalizer.fit(images)
    say(f"normalized: mean {normalizer.mean:.3f}, standard deviation {normalizer.std:.3f}, in pixel units")
    preprocessing = Preprocessing(mean=normalizer.mean, std=normalizer.std, framing=asdict(FRAMING))
    return FileRef.store(work / "preprocessing.json", preprocessing.model_dump_json().encode())


def evaluate_trained(
    dataset: DatasetRef, preprocessing: FileRef, trained: TrainedRef, recipe: Recipe, work: Path
) -> FileRef:
    """Fit the temperature on the validation split; measure there, and once on the test set, plain and corrupted.

    One step, so that a run looks at the test set once: nothing that comes of it goes back into the network.
    """
    mnist, split = read_mnist(dataset.files), training.split(dataset, recipe)
    measured = measure(
        _trained_network(trained, recipe),
        training.normalizer(preprocessing),
        Images(mnist.train_images[split.validation], mnist.train_labels[split.validation]),
        Images(mnist.test_images, mnist.test_labels),
    )
    for sentence in sentences(measured):
        say(sentence)
    return FileRef.store(work / "evaluations.json", _EVALUATIONS.dump_json(measured))


def publish(
    repository: Repository,
    fingerprint: str,
    recipe_name: str,
    recipe: Recipe,
    dataset: DatasetRef,
    preprocessing: FileRef,
    trained: TrainedRef,
    evaluations: FileRef,
) -> Manifest:
    """Publish a version: weights first, then report and card, the manifest last."""
    measured = _EVALUATIONS.validate_json(evaluations.read())
    history = training.HISTORY.validate_json(trained.history.read())
    network = _trained_network(trained, recipe)
    data = DataProvenance(
        files=dataset.digests,
        train_images=dataset.train_images - recipe.data.validation_images,
        validation_images=recipe.data.validation_images,
        test_images=dataset.test_images,
        split_seed=recipe.data.split_seed,
        license=LICENSE,
        feedback=feedback.provenance_of(dataset.feedback) if dataset.feedback else None,
    )
    validation = as_metrics(measured.validation)
    draft = repository.claim(trained.weights.read())
    manifest = Manifest(
        name=repository.model,
        version=draft.version,
        created=datetime.now(UTC),
        fingerprint=fingerprint,
        files=draft.files,
        architecture=Architecture(
            input_shape=network.input_shape,
            layers=recipe.layers,
            parameter_count=network.vector.value.size,
        ),
        labels=LABELS,
        preprocessing=Preprocessing.model_validate_json(preprocessing.read()),
        data=data,
        spread=_spread(dataset, recipe),
        recipe_name=recipe_name,
        recipe=recipe.model_dump(mode="json"),
        code=provenance.code(),
        environment=provenance.environment(recipe.train.shards * recipe.train.threads),
        validation=validation,
        test=as_metrics(measured.test),
        calibration=Calibration(temperature=measured.temperature),
        robustness=as_robustness(measured.robustness),
        verdict=decide(validation, data, _champion(repository), recipe.promotion),
        golden=measured.golden,
    )
    mistakes = [mistake.index for mistake in measured.test.mistakes]
    images = read_mnist(dataset.files).test_images[mistakes]
    draft.add("report.html", render_report(manifest, history, measured.test, images, _first_layer(network)))
    draft.add("card.md", render_card(manifest))
    manifest = manifest.model_copy(update={"files": dict(draft.files)})
    draft.publish(manifest)
    say(f"published: {manifest.name} version {manifest.version} in {repository.url}")
    return manifest


def promote(repository: Repository, manifest: Manifest, by: str) -> bool:
    """Point the champion at the version where its verdict says so; once, so that a rollback is not undone.

    Returns:
        Whether the version is the champion now.
    """
    log = repository.alias()
    moves = log.history()
    if manifest.verdict.promote and all(move.version != manifest.version for move in moves):
        repository.promote(manifest.version, by=by, why=manifest.verdict.reason)
        say(f"promoted: version {manifest.version} is the champion: {manifest.verdict.reason}")
        return True
    current = moves[-1].version if moves else None
    if not manifest.verdict.promote:
        say(f"not promoted: {manifest.verdict.reason}; the champion is {current or 'none'}")
    return current == manifest.version


def _trained_network(trained: TrainedRef, recipe: Recipe) -> Sequential:
    network = recipe.build(np.random.default_rng(0))
    network.load_state(weights_file.decode(trained.weights.read(), name=str(trained.weights.path)))
    return network


def _spread(dataset: DatasetRef, recipe: Recipe) -> Spread:
    """Of the training split alone: what the network knows."""
    mnist, rows = read_mnist(dataset.files), training.split(dataset, recipe).train
    return spread_of(mnist.train_images[rows], mnist.train_labels[rows], len(LABELS))


def _champion(repository: Repository) -> Manifest | None:
    try:
        return repository.manifest(repository.champion())
    except VersionNotFoundError:
        return None
    except DamagedVersionError as error:
        say(f"the champion is damaged, so there is nothing to compare with: {error}")
        return None


def _first_layer(network: Sequential) -> NDArray[np.float32] | None:
    """The first layer's weights as pictures, (28, 28, units), where it looks at pixels."""
    W = next((p.value for _, p in network.named_parameters()), None)
    return W.reshape(28, 28, -1) if W is not None and W.ndim == 2 and len(W) == 784 else None
