"""The flow: download → verify → draw → normalize → train → evaluate → judge → publish → promote."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun, State

from pipelines import voice
from pipelines.order import Order, takes_order
from pipelines.promotion.advance import Advance
from pipelines.recipe import load_recipe, recipe_path
from pipelines.retrain import promoting, steps, tasks, training
from pipelines.retrain.retrained import Outcome, Retrained
from pipelines.retrain.run import Run
from pipelines.retrain.tasks import local, reaching_out
from pipelines.voice import say


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


@flow(name="retrain", on_failure=[_report_failure], on_crashed=[_report_failure])
@takes_order(documented=True)
def retrain(*, dry_run: bool = False, **given: Any) -> Retrained:  # noqa: D417 — `takes_order` describes the others
    """Train a version with a recipe, publish it, and promote it unless the gate finds it worse than those before it.

    Running it again with nothing changed (data, recipe, code) trains nothing. A dry run ends with the verdict and
    publishes nothing; a run after it takes over what it has trained.

    Args:
        dry_run: End with the verdict, and publish nothing.
    """
    voice.prepare()
    order = Order(**given)
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
        if dry_run:
            standing = Advance(promoted=store.alias().target() == known.version)
            return Retrained.published("unchanged", known, standing, store, clock.seconds)
        # Still to be done if the run that published it was killed before it promoted it.
        advanced = reaching_out(promoting.promote)(order, run, known)
        training.clear(dataset, recipe, run.work)
        decided_again = advanced.rejected and known.verdict.promote
        return Retrained.published("rejected" if decided_again else "unchanged", known, advanced, store, clock.seconds)

    if recipe.data.styles.count:
        with clock("draw"):
            run = local(steps.draw)(run)
    with clock("normalize"):
        preprocessing = local(steps.fit_normalizer)(run)
    with clock("train"):
        trained = tasks.train(run, preprocessing)
    with clock("evaluate"):
        evaluations = local(steps.evaluate)(run, preprocessing, trained)
    with clock("judge"):
        verdict = reaching_out(promoting.judge)(order, run, preprocessing, trained, evaluations)
    if dry_run:
        say(promoting.trial_in_words(verdict))
        measured = steps.EVALUATIONS.validate_json(evaluations.read())
        return Retrained.trial(recipe_path(order.recipe).stem, trained, measured, verdict, store, clock.seconds)
    with clock("publish"):
        manifest = reaching_out(steps.publish)(order, run, preprocessing, trained, evaluations, verdict)
        tasks.show_card(order, manifest)
    with clock("promote"):
        advanced = reaching_out(promoting.promote)(order, run, manifest)
    training.clear(dataset, recipe, run.work)
    outcome: Outcome = "rejected" if advanced.rejected else "published"
    return Retrained.published(outcome, manifest, advanced, store, clock.seconds)
