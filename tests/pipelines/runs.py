"""A run of one's own, and the version that comes of it."""

from pathlib import Path

from core.artifact.manifest import Manifest
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import promoting, steps, training
from pipelines.retrain.run import Run

FINGERPRINT = "f" * 64


def run_in(work: Path, dataset: DatasetRef, recipe: Recipe, fingerprint: str = FINGERPRINT) -> Run:
    """A run whose steps leave their results in `work`."""
    return Run(dataset=dataset, recipe=recipe, fingerprint=fingerprint, work=work)


def publish(order: Order, run: Run) -> Manifest:
    """The steps from the drawn images to the published version."""
    run = steps.draw(run)
    preprocessing = steps.fit_normalizer(run)
    trained = training.train(run.dataset, preprocessing, run.recipe, run.work, lambda report: None)
    evaluations = steps.evaluate(run, preprocessing, trained)
    verdict = promoting.judge(order, run, preprocessing, trained, evaluations)
    return steps.publish(order, run, preprocessing, trained, evaluations, verdict)
