"""The flow: download → verify → draw → normalize → train → evaluate → publish → promote."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Literal

from prefect import Flow, flow, runtime
from prefect.client.schemas.objects import FlowRun, State
from pydantic import BaseModel, Field

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from pipelines import voice
from pipelines.order import Order, takes_order
from pipelines.recipe import load_recipe
from pipelines.retrain import steps, tasks, training
from pipelines.retrain.measures import rejected_shares
from pipelines.retrain.recorded import recorded
from pipelines.retrain.run import Run
from pipelines.retrain.tasks import local, reaching_out
from pipelines.retrain.turn import Turn, turn
from pipelines.schedule.journal import Journal
from pipelines.settings import Settings
from pipelines.voice import say


class Retrained(BaseModel):
    """The result of a retraining, as `--json` prints it."""

    outcome: Literal["published", "unchanged", "rejected"]
    version: int
    promoted: bool = Field(description="Whether the version is the champion now.")
    metrics: dict[str, float]
    robustness: dict[str, float] = Field(description="Test accuracy on altered images, by the kind of alteration.")
    seconds: dict[str, float]
    recipe: str
    repository: str
    report: str
    weights_sha256: str


class _Stopwatch:
    """Measures the seconds spent in each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.seconds[stage] = round(perf_counter() - started, 3)


def _report_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 — Prefect's signature
    """Put a line into the log of a scheduler, which runs unattended; a run by hand ends with its error anyway."""
    if flow_run.deployment_id:
        voice.prepare()
        say(f"retraining failed: {state.message}")
    if flow_run.deployment_id and state.is_crashed():  # its process could not record that itself
        journal = Journal(Order(**flow_run.parameters).data_dir)
        journal.failed(state.message or "the run crashed")
        journal.ended(str(flow_run.id))


@flow(name="retrain", on_failure=[_report_failure], on_crashed=[_report_failure])
@takes_order(documented=True)
def retrain(**given: Any) -> Retrained:
    """Train a version with a recipe, publish it, and promote it unless it is worse than the champion.

    Running it again with nothing changed (data, recipe, code) trains nothing.
    """
    voice.prepare()
    order = Order(**given)
    lease = order.store.lease(Settings().lease_seconds)
    with recorded(order, runtime.flow_run.id) as recording, turn(lease, order.wait, say) as mine:
        result = _retrain(order, mine)
        recording.ended(result)
    return result


def _retrain(order: Order, mine: Turn) -> Retrained:
    store, recipe = order.store, load_recipe(order.recipe, order.overrides)
    clock = _Stopwatch()

    with clock("download"):
        files = reaching_out(steps.download)(order.data_dir, order.mirrors)
    with clock("verify"):
        dataset = local(steps.verify)(files)
        if order.feedback:
            dataset = reaching_out(steps.gather)(order.feedback, dataset, order.data_dir)
    run = Run.of(dataset, recipe, order.data_dir)

    if known := steps.find_unchanged(store, run.fingerprint):
        say(f"unchanged: version {known.version} has the same data, recipe and code; nothing to train")
        # Still to be done if the run that published it was killed before it promoted it.
        mine.check()
        promoted = reaching_out(steps.promote)(order, known)
        training.clear(dataset, recipe, run.work)
        return _result("unchanged", known, promoted, store, clock)

    if recipe.data.styles.count:
        with clock("draw"):
            run = local(steps.draw)(run)
    with clock("normalize"):
        preprocessing = local(steps.fit_normalizer)(run)
    with clock("train"):
        trained = tasks.train(run, preprocessing)
    with clock("evaluate"):
        evaluations = local(steps.evaluate)(run, preprocessing, trained)
    with clock("publish"):
        verdict = reaching_out(steps.judge)(order, run, evaluations)
        manifest = reaching_out(steps.publish)(order, run, preprocessing, trained, evaluations, verdict)
        tasks.show_card(order, manifest)
    with clock("promote"):
        mine.check()
        promoted = reaching_out(steps.promote)(order, manifest)
    training.clear(dataset, recipe, run.work)
    return _result("published" if verdict.promote else "rejected", manifest, promoted, store, clock)


def _result(
    outcome: Literal["published", "unchanged", "rejected"],
    manifest: Manifest,
    promoted: bool,
    repository: Repository,
    clock: _Stopwatch,
) -> Retrained:
    return Retrained(
        outcome=outcome,
        version=manifest.version,
        promoted=promoted,
        metrics={
            "test_accuracy": manifest.test.accuracy,
            "validation_accuracy": manifest.validation.accuracy,
            "test_loss": manifest.test.loss,
            "validation_loss": manifest.validation.loss,
            "calibration_error": manifest.test.calibration_error,
            "temperature": manifest.calibration.temperature,
            **rejected_shares(manifest),
        },
        robustness={name: measured.accuracy for name, measured in manifest.robustness.items()},
        seconds=clock.seconds,
        recipe=manifest.recipe_name,
        repository=repository.url,
        report=f"{repository.url.rstrip('/')}/{manifest.name}/{manifest.version}/report.html",
        weights_sha256=manifest.files[WEIGHTS].sha256,
    )
