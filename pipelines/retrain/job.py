"""The job: download → verify → draw → normalize → train → evaluate → publish → promote."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, Field

from core.artifact.manifest import WEIGHTS, Manifest
from core.artifact.repository import Repository
from core.train.report import EpochReport
from pipelines import leftovers, preflight
from pipelines.engine.engine import Engine
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.references import FileRef, TrainedRef
from pipelines.retrain import steps, training, work
from pipelines.retrain.measures import rejected_shares
from pipelines.retrain.run import Run
from pipelines.settings import Settings
from pipelines.voice import TrainingProgress, say


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
    report: str = Field(description="Its path; its URL if the repository is no folder.")
    weights_sha256: str

    @property
    def sentence(self) -> str:
        """What came of it, in a line for people."""
        standing = "the champion" if self.promoted else "not the champion"
        return f"{self.outcome}: version {self.version}, {standing}, test accuracy {self.metrics['test_accuracy']:.2%}"


def retrain(order: Order, engine: Engine) -> Retrained:
    """Train a version with a recipe, publish it, and promote it unless it is worse than the champion.

    Running it again with nothing changed (data, recipe, code) trains nothing.

    Args:
        order: What to retrain.
        engine: Runs the steps.
    """
    local, reaching_out = engine.local, engine.reaching_out
    store, recipe = order.store, load_recipe(order.recipe, order.overrides)

    preflight.check(order, recipe)
    leftovers.reclaim(order.data_dir, timedelta(days=Settings().keep_days), say)
    with engine.stage("download"):
        files = reaching_out(steps.download)(order.data_dir, order.mirrors)
    with engine.stage("verify"):
        dataset = local(steps.verify)(files)
        if order.feedback:
            dataset = reaching_out(steps.gather)(order.feedback, dataset, order.data_dir)
    run = Run.of(dataset, recipe, order.data_dir)

    with work.held(run, say):
        if known := steps.find_unchanged(store, run.fingerprint):
            say(f"unchanged: version {known.version} has the same data, recipe and code; nothing to train")
            with engine.stage("promote"):  # still to be done if the run that published it was killed before
                promoted = reaching_out(steps.promote)(order, known)
            training.clear(dataset, recipe, run.work)
            return _result("unchanged", known, promoted, store, engine)

        if recipe.data.styles.count:
            with engine.stage("draw"):
                run = local(steps.draw)(run)
        with engine.stage("normalize"):
            preprocessing = local(steps.fit_normalizer)(run)
        with engine.stage("train"):
            trained = _train(run, preprocessing, engine)
        with engine.stage("evaluate"):
            evaluations = local(steps.evaluate)(run, preprocessing, trained)
        with engine.stage("publish"):
            verdict = reaching_out(steps.judge)(order, run, evaluations)
            manifest = reaching_out(steps.publish)(order, run, preprocessing, trained, evaluations, verdict)
            engine.show_card(reaching_out(store.read)(manifest, "card.md").decode())
        with engine.stage("promote"):
            promoted = reaching_out(steps.promote)(order, manifest)
        training.clear(dataset, recipe, run.work)
        return _result("published" if verdict.promote else "rejected", manifest, promoted, store, engine)


def _train(run: Run, preprocessing: FileRef, engine: Engine) -> TrainedRef:
    """Train the network, and show each epoch."""
    with TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            progress.show(report)
            engine.epoch(report)

        return training.train(run.dataset, preprocessing, run.recipe, run.work, on_epoch)


def _result(
    outcome: Literal["published", "unchanged", "rejected"],
    manifest: Manifest,
    promoted: bool,
    repository: Repository,
    engine: Engine,
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
        seconds=engine.seconds,
        recipe=manifest.recipe_name,
        repository=repository.url,
        report=f"{repository.location}/{manifest.name}/{manifest.version}/report.html",
        weights_sha256=manifest.files[WEIGHTS].sha256,
    )
