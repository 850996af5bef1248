"""The steps of a retraining, as plain functions from references to references.

Each step reads its inputs from disk, checks their digests, and writes its result atomically, so that it can be run,
tested and retried alone. `pipelines.engine` runs them. The step that trains is in `retrain.training`.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from core.artifact import weights as weights_file
from core.artifact.manifest import Architecture, Calibration, Manifest, Preprocessing, Signature, Spread, Verdict
from core.artifact.origin import DataProvenance
from core.artifact.repository import Draft, Repository
from core.artifact.spread import spread_of
from core.data.labeled import Labeled
from core.data.normalize import Normalizer
from core.digit import LABELS, PIXELS, SIDE
from core.errors import DamagedVersionError, UnreadableEntryError, VersionNotFoundError
from core.imaging import FRAMING
from core.kernels.blas import blas_threads
from core.nn.sequential import Sequential
from pipelines import provenance, sources
from pipelines.new_data import admission
from pipelines.new_data.account import account_of
from pipelines.new_data.gather import folder_in
from pipelines.new_data.gather import gather as gather_new_data
from pipelines.new_data.held_out import held_out_by_source
from pipelines.new_data.kept import keep
from pipelines.order import Order
from pipelines.recipe import Recipe, recipe_path
from pipelines.references import DatasetRef, FileRef, TrainedRef, read_mnist
from pipelines.report import render_card, render_report
from pipelines.retrain import styles, teaching, training
from pipelines.retrain.measures import Evaluations, as_held_out, as_metrics, as_robustness, measure, sentences
from pipelines.retrain.run import Run
from pipelines.settings import Settings
from pipelines.voice import say

LICENSE = "MNIST: Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0"

EVALUATIONS = TypeAdapter(Evaluations)
"""Measures as they are stored."""


def download(data_dir: Path, mirrors: Sequence[str]) -> dict[str, FileRef]:
    """Download the four files, or find them in the cache; each is verified against its pinned digest."""
    fetched = sources.fetch_all(data_dir / "mnist", mirrors=mirrors, say=say)
    return {file.name: FileRef(path=file.path, sha256=file.sha256) for file in fetched}


def verify(files: dict[str, FileRef]) -> DatasetRef:
    """Parse the files, and check that they make a data set together."""
    mnist = read_mnist(files)
    say(f"verified: {len(mnist.train_images):,} training and {len(mnist.test_images):,} test images of 28×28")
    return DatasetRef(files=files, train_images=len(mnist.train_images), test_images=len(mnist.test_images))


def gather(order: Order, recipe: Recipe, dataset: DatasetRef) -> DatasetRef:
    """Add pictures from folders and users, if the order names any, and validate all data; see `pipelines.new_data`.

    Of the new pictures, those that are trusted are kept: most of them to be trained on, the others held out.
    """
    collected = None
    if order.feedback or order.extra:
        collected = gather_new_data(order.feedback, order.extra, read_mnist(dataset.files), order.data_dir, say)
    offered = collected.items if collected else ()
    admitted = admission.admit(offered, dataset, recipe, order.data_dir, Settings().pretrained, say)
    update: dict[str, Any] = {"trusted": admitted.trusted, "validated": admitted.validated}
    if collected:
        trusted = replace(collected, items=admitted.items)
        update["new_data"] = keep(trusted, recipe.data.held_out_share, folder_in(order.data_dir), say)
    return dataset.model_copy(update=update)


def find_unchanged(repository: Repository, fingerprint: str) -> Manifest | None:
    """The newest undamaged version with this fingerprint: training again would only repeat it."""
    for version in repository.mentioning(fingerprint):
        try:
            manifest = repository.manifest(version)
            if manifest.fingerprint == fingerprint:
                repository.read(manifest)
                return manifest
        except (DamagedVersionError, UnreadableEntryError, VersionNotFoundError) as error:
            say(f"version {version} cannot be used, so it is ignored: {error}")
    return None


def draw(run: Run) -> Run:
    """Draw the images that the recipe asks for in addition to MNIST's: the same run, with a reference to them."""
    section = run.recipe.data.styles
    if not section.count:
        return run
    drawn = styles.draw(section, run.work, say)
    return run.model_copy(update={"dataset": run.dataset.model_copy(update={"styles": drawn})})


def fit_normalizer(run: Run) -> FileRef:
    """Fit the normalizer on the training split alone, unless the recipe wants another one."""
    kind = run.recipe.data.normalize
    normalizer = Normalizer.of(kind, training.train_split(run.dataset, run.recipe)[0])
    if kind == "standard":
        say(f"normalized: mean {normalizer.mean:.3f}, standard deviation {normalizer.std:.3f}, in pixel units")
    else:
        say(f"not normalized, as data.normalize is {kind}: inputs from 0 to {255 / normalizer.std:g}")
    preprocessing = Preprocessing(mean=normalizer.mean, std=normalizer.std, framing=asdict(FRAMING))
    return FileRef.store(run.work / "preprocessing.json", preprocessing.model_dump_json().encode())


def evaluate(run: Run, preprocessing: FileRef, trained: TrainedRef) -> FileRef:
    """Fit the temperature on the validation split; measure there, and once on the test set, plain and altered.

    If the recipe has images that show no digit, the rejection is fitted and measured too, on drawn images held out.

    All of it is one step, so that a run looks at the test set once: nothing learned there goes back into the network.
    """
    mnist, split = read_mnist(run.dataset.files), training.split(run.dataset, run.recipe)
    section = run.recipe.data.styles
    # On busy cores, threads of BLAS that wait for each other take ten times as long as one for products this small.
    with blas_threads(run.recipe.train.threads):
        measured = measure(
            trained_network(trained, run.recipe),
            training.normalizer(preprocessing),
            Labeled(mnist.train_images[split.validation], mnist.train_labels[split.validation]),
            Labeled(mnist.test_images, mnist.test_labels),
            styles.held_out(section) if section.others else None,
            held_out_by_source(run.dataset),
        )
    for sentence in sentences(measured):
        say(sentence)
    return FileRef.store(run.work / "evaluations.json", EVALUATIONS.dump_json(measured))


def publish(
    order: Order, run: Run, preprocessing: FileRef, trained: TrainedRef, evaluations: FileRef, verdict: Verdict
) -> Manifest:
    """Publish a version: the weights first, then report, card and history, the manifest last."""
    with order.store.claim(trained.weights.read()) as draft:
        manifest = _complete(draft, order, run, preprocessing, trained, evaluations, verdict)
    say(f"published: {manifest.name} version {manifest.version} in {order.store.location}")
    return manifest


def _complete(
    draft: Draft,
    order: Order,
    run: Run,
    preprocessing: FileRef,
    trained: TrainedRef,
    evaluations: FileRef,
    verdict: Verdict,
) -> Manifest:
    """Add report, card, history and manifest to the weights with which a version's number was claimed."""
    repository, recipe = order.store, run.recipe
    measured = EVALUATIONS.validate_json(evaluations.read())
    history = training.HISTORY.validate_json(trained.history.read())
    network = trained_network(trained, recipe)
    manifest = Manifest(
        name=repository.model,
        version=draft.version,
        created=datetime.now(UTC),
        fingerprint=run.fingerprint,
        files=draft.files,
        architecture=Architecture(
            input_shape=network.input_shape,
            layers=recipe.layers,
            parameter_count=network.vector.value.size,
        ),
        labels=LABELS,
        preprocessing=Preprocessing.model_validate_json(preprocessing.read()),
        data=data_of(run),
        spread=_spread(run),
        recipe_name=recipe_path(order.recipe).stem,
        recipe=recipe.model_dump(mode="json"),
        code=provenance.code(recipe),
        environment=provenance.environment(recipe.train.shards * recipe.train.threads),
        validation=as_metrics(measured.validation),
        test=as_metrics(measured.test),
        calibration=Calibration(temperature=measured.temperature),
        signature=Signature.of(measured.rejection),
        rejection=measured.rejection,
        rejection_metrics=measured.rejection_metrics,
        robustness=as_robustness(measured.robustness),
        held_out=as_held_out(measured.new_data),
        verdict=verdict,
        golden=measured.golden,
    )
    mistakes = [mistake.index for mistake in measured.test.mistakes]
    images = read_mnist(run.dataset.files).test_images[mistakes]
    drawn = Labeled.unpack(run.dataset.styles.read()) if run.dataset.styles else None
    first_layer, page = _first_layer(network), Settings().page_url
    draft.add("report.html", render_report(manifest, history, measured.test, images, first_layer, drawn, page))
    draft.add("card.md", render_card(manifest))
    draft.add(training.HISTORY_FILE, trained.history.read())
    manifest = manifest.model_copy(update={"files": dict(draft.files)})
    draft.publish(manifest)
    return manifest


def data_of(run: Run) -> DataProvenance:
    """What the run trains, validates and tests on, as a manifest records it."""
    dataset, data = run.dataset, run.recipe.data
    return DataProvenance(
        files=dataset.digests,
        train_images=dataset.train_images - data.validation_images,
        validation_images=data.validation_images,
        test_images=dataset.test_images,
        split_seed=data.split_seed,
        license=LICENSE,
        new_data=account_of(dataset),
        styles=styles.provenance_of(data.styles, dataset.styles) if dataset.styles else None,
        trusted=dataset.trusted,
        validated=dataset.validated,
        teacher=teaching.provenance_of(dataset.teacher) if dataset.teacher else None,
    )


def trained_network(trained: TrainedRef, recipe: Recipe) -> Sequential:
    """The network with its trained weights."""
    network = recipe.build(np.random.default_rng(0))
    network.load_state(weights_file.decode(trained.weights.read(), name=str(trained.weights.path)))
    return network


def _spread(run: Run) -> Spread:
    """Of the data set's training split alone: drawn images are not distributed as what users send."""
    mnist, rows = read_mnist(run.dataset.files), training.split(run.dataset, run.recipe).train
    return spread_of(mnist.train_images[rows], mnist.train_labels[rows], len(LABELS))


def _first_layer(network: Sequential) -> NDArray[np.float32] | None:
    """The first layer's weights as pictures, (28, 28, units); None unless it is dense on the 784 pixels."""
    W = next((p.value for p in network.parameters.values()), None)
    return W.reshape(SIDE, SIDE, -1) if W is not None and W.ndim == 2 and len(W) == PIXELS else None
