"""How the flow runs steps as Prefect tasks: which are retried, and what Prefect's pages show of them.

Nothing is cached by Prefect: the flow itself asks whether anything has changed, and compares contents for that.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from core.artifact.manifest import Manifest
from core.errors import FeedbackError, RepositoryError, SourceError
from core.train.report import EpochReport
from pipelines.order import Order
from pipelines.references import FileRef, TrainedRef
from pipelines.retrain import training
from pipelines.retrain.run import Run
from pipelines.voice import TrainingProgress

P = ParamSpec("P")
R = TypeVar("R")


def local(step: Callable[P, R]) -> Task[P, R]:
    """A step that works on local files alone. It is not retried: what failed once would fail again."""
    return task(cache_policy=NO_CACHE)(step)


def reaching_out(step: Callable[P, R]) -> Task[P, R]:
    """A step that reaches out to mirrors or the repository. It is retried twice if the outside world failed."""
    retried = task(
        cache_policy=NO_CACHE,
        retries=2,
        retry_delay_seconds=[2.0, 10.0],  # a mirror has its own, quicker retries in pipelines.sources
        retry_condition_fn=_outside_world_failed,
    )
    return retried(step)


def _outside_world_failed(task: Task[..., object], run: TaskRun, state: State[object]) -> bool:  # noqa: ARG001 — Prefect's signature
    """Whether a mirror, a network or a disk failed; any other error would be the same again."""
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, SourceError | RepositoryError | FeedbackError | OSError)


@local
def train(run: Run, preprocessing: FileRef) -> TrainedRef:
    """Train the network, and show each epoch on the terminal and in Prefect's pages."""
    artifact = cast("UUID", create_progress_artifact(progress=0.0, key="training", description="epochs"))
    with TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            progress.show(report)
            update_progress_artifact(artifact, progress=100 * report.epoch / report.epochs)

        return training.train(run.dataset, preprocessing, run.recipe, run.work, on_epoch)


@reaching_out
def show_card(order: Order, manifest: Manifest) -> None:
    """Show the version's model card in Prefect's pages."""
    create_markdown_artifact(order.store.read(manifest, "card.md").decode(), key="model-card")
