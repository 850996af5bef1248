"""The best recipe of a sweep as a published version, with the alias `challenger`: by a retraining like any other."""

from core.data.durable import write_whole
from core.inference.predict import rebuild
from pipelines import provenance
from pipelines.engine.engine import Engine
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef
from pipelines.retrain import job, work
from pipelines.retrain.run import Run
from pipelines.sweep.course import Course
from pipelines.sweep.swept import Published
from pipelines.voice import say

__all__ = ["ALIAS", "publish"]

ALIAS = "challenger"
"""The alias that services may follow beside the champion, for a canary or a shadow."""


def publish(order: Order, dataset: DatasetRef, course: Course, checkpoint: bytes | None, why: str) -> Published:
    """Publish what a training has come to, and point the alias to it. The champion stays whatever the gate finds.

    Args:
        order: Of the sweep.
        dataset: Of the sweep.
        course: A complete training.
        checkpoint: Of it: the retraining begins there, at the end, instead of training again; None trains again.
        why: The reason that is kept in the history of the alias.

    Raises:
        NumeralError: See the retraining.
    """
    say(f"publishing trial {course.trial} as trained with seed {course.seed}, whose result is the middle one")
    update = {"overrides": (*order.overrides, *course.overrides), "promote": "never"}
    order = order.model_copy(update=update)
    recipe = load_recipe(order.recipe, order.overrides)
    run = Run.of(dataset, recipe, order.data_dir)
    if checkpoint is not None:
        with work.held(run, say):
            write_whole(run.work / "train.checkpoint", checkpoint)
    result = job.retrain(order, Engine())
    assert result.version is not None  # noqa: S101 — it was no dry run
    alias = order.store.alias(ALIAS)
    if alias.target() != result.version:
        order.store.promote(result.version, by=provenance.author(), why=why, alias=ALIAS, probe=rebuild)
    say(f"version {result.version} is the {ALIAS}; the champion is moved by `models promote` alone")
    return Published(
        version=result.version,
        alias=ALIAS,
        seed=course.seed,
        repository=result.repository,
        promote=result.verdict.promote,
        verdict=result.verdict.reason,
        test_accuracy=result.metrics["test_accuracy"],
        report=result.report,
    )
