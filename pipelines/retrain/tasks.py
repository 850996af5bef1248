"""Prefect's tasks: thin wrappers over `pipelines.retrain.steps`, which say what is retried and what is shown.

Only steps that reach out (mirrors, the repository) are retried; the others would only fail again. Nothing is cached by
Prefect: the flow itself asks whether anything has changed, and looks at contents for that.
"""

from pathlib import Path
from typing import cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.errors import FeedbackError, RepositoryError, SourceError
from core.train.loop import EpochReport
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, FileRef, TrainedRef
from pipelines.retrain import steps, training
from pipelines.voice import TrainingProgress


def _outside_world_failed(task: Task[..., object], run: TaskRun, state: State[object]) -> bool:  # noqa: ARG001 — Prefect's signature
    """Retry where a mirror, a network or a disk failed; what is wrong by itself stays wrong."""
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, SourceError | RepositoryError | FeedbackError | OSError)


_RETRIES = 2
_DELAYS = [2.0, 10.0]  # seconds; a mirror's own, quicker retries are in pipelines.sources


@task(
    cache_policy=NO_CACHE,
    retries=_RETRIES,
    retry_delay_seconds=_DELAYS,
    retry_condition_fn=_outside_world_failed,
)
def bring(data_dir: Path, mirrors: tuple[str, ...]) -> dict[str, FileRef]:
    """Download what is not in the cache, from the first mirror that delivers it."""
    return steps.bring(data_dir, mirrors)


@task(cache_policy=NO_CACHE)
def verify(files: dict[str, FileRef]) -> DatasetRef:
    """Parse the files and check that they make a data set."""
    return steps.verify(files)


@task(
    cache_policy=NO_CACHE,
    retries=_RETRIES,
    retry_delay_seconds=_DELAYS,
    retry_condition_fn=_outside_world_failed,
)
def gather(folder: Path, dataset: DatasetRef, data_dir: Path) -> DatasetRef:
    """Read what users have sent."""
    return steps.gather(folder, dataset, data_dir)


@task(cache_policy=NO_CACHE)
def normalize(dataset: DatasetRef, recipe: Recipe, work: Path) -> FileRef:
    """Fit the normalizer on the training split."""
    return steps.normalize(dataset, recipe, work)


@task(cache_policy=NO_CACHE)
def train(dataset: DatasetRef, preprocessing: FileRef, recipe: Recipe, work: Path) -> TrainedRef:
    """Train the network, showing each epoch to people and in Prefect's pages."""
    artifact = cast("UUID", create_progress_artifact(progress=0.0, key="training", description="epochs"))
    with TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            progress.show(report)
            update_progress_artifact(artifact, progress=100 * report.epoch / report.epochs)

        return training.train(dataset, preprocessing, recipe, work, on_epoch)


@task(cache_policy=NO_CACHE)
def evaluate(dataset: DatasetRef, preprocessing: FileRef, trained: TrainedRef, recipe: Recipe, work: Path) -> FileRef:
    """Measure on validation and test images."""
    return steps.evaluate_trained(dataset, preprocessing, trained, recipe, work)


@task(
    cache_policy=NO_CACHE,
    retries=_RETRIES,
    retry_delay_seconds=_DELAYS,
    retry_condition_fn=_outside_world_failed,
)
def publish(
    repository: str,
    fingerprint: str,
    recipe_name: str,
    recipe: Recipe,
    dataset: DatasetRef,
    preprocessing: FileRef,
    trained: TrainedRef,
    evaluations: FileRef,
) -> Manifest:
    """Publish the version, and show its card in Prefect's pages."""
    target = Repository(repository, writable=True)
    manifest = steps.publish(target, fingerprint, recipe_name, recipe, dataset, preprocessing, trained, evaluations)
    create_markdown_artifact(target.read(manifest, "card.md").decode(), key="model-card")
    return manifest


@task(
    cache_policy=NO_CACHE,
    retries=_RETRIES,
    retry_delay_seconds=_DELAYS,
    retry_condition_fn=_outside_world_failed,
)
def promote(repository: str, manifest: Manifest, by: str) -> bool:
    """Make the version champion where its verdict says so."""
    return steps.promote(Repository(repository, writable=True), manifest, by)
