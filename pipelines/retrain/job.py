"""The job: download → verify → gather → draw → normalize → train → evaluate → judge → publish → promote."""

from datetime import timedelta
from pathlib import Path

from core.artifact.manifest import Manifest
from core.train.report import EpochReport
from pipelines import leftovers, preflight
from pipelines.engine.engine import Engine
from pipelines.notices.announcer import Announcer, webhook_of
from pipelines.notices.notice import Notice
from pipelines.notices.outcome import notices_of
from pipelines.order import Order
from pipelines.promotion.advance import Advance
from pipelines.recipe import load_recipe, recipe_path
from pipelines.references import FileRef, TrainedRef
from pipelines.retrain import promoting, steps, training, work
from pipelines.retrain.exhibits import exhibits, name_of, tags_of, verdict_of
from pipelines.retrain.recorded import recorded
from pipelines.retrain.retrained import Outcome, Retrained
from pipelines.retrain.run import Run
from pipelines.retrain.turn import Turn, turn
from pipelines.settings import Settings
from pipelines.voice import TrainingProgress, say


def retrain(order: Order, engine: Engine, *, dry_run: bool = False, run_id: str | None = None) -> Retrained:
    """Train a version with a recipe, publish it, and promote it unless the gate finds it worse than those before it.

    Running it again with nothing changed (data, recipe, code) trains nothing. One run at a time works for a repository.

    Args:
        order: What to retrain.
        engine: Runs the steps.
        dry_run: Whether to end with the verdict and publish nothing; a run after it takes over what is trained here.
        run_id: The flow run of Prefect in whose process this is called, if it is.
    """
    webhook = webhook_of(Settings())
    announcer = Announcer([engine.announce, *([webhook.send] if webhook else [])], say)
    try:
        with recorded(order, run_id) as recording:
            preflight.check(order, load_recipe(order.recipe, order.overrides))
            with turn(order.store.lease(Settings().lease_seconds), order.wait, say) as mine:
                result = _retrain(order, engine, mine, dry_run=dry_run)
            if not dry_run:
                recording.ended(result)
    except Exception as error:
        recipe, reason = Path(order.recipe).stem, str(error) or type(error).__name__
        announcer.announce(Notice(kind="failed", repository=order.store.url, recipe=recipe, reason=reason))
        raise
    engine.show(verdict_of(result))
    engine.title(name_of(result, order.title), tags_of(result))
    announcer.announce(*notices_of(result))
    return result


def _retrain(order: Order, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    leftovers.reclaim(order.data_dir, timedelta(days=Settings().keep_days), say)
    run = _with_its_data(order, engine)
    with work.held(run, say):
        if known := steps.find_unchanged(order.store, run.fingerprint):
            say(f"unchanged: version {known.version} has the same data, recipe and code; nothing to train")
            result = _known(order, run, known, engine, mine, dry_run=dry_run)
        else:
            result = _new(order, run, engine, mine, dry_run=dry_run)
        if not dry_run:
            training.clear(run.dataset, run.recipe, run.work)
    return result


def _with_its_data(order: Order, engine: Engine) -> Run:
    """Bring and check all data."""
    local, reaching_out, recipe = engine.local, engine.reaching_out, load_recipe(order.recipe, order.overrides)
    with engine.stage("download"):
        files = reaching_out(steps.download)(order.data_dir, order.mirrors)
    with engine.stage("verify"):
        dataset = local(steps.verify)(files)
    with engine.stage("gather"):
        dataset = reaching_out(steps.gather)(order, recipe, dataset)
    return Run.of(dataset, recipe, order.data_dir)


def _known(order: Order, run: Run, known: Manifest, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    """Promote a version that was published before, if that is still to be done: its run may have been killed."""
    store = order.store
    outcome: Outcome = "unchanged"
    if dry_run:
        advanced = Advance(promoted=store.alias().target() == known.version)
    else:
        settled = promoting.settled(store, known)
        with engine.stage("promote"):
            mine.check()
            advanced = engine.reaching_out(promoting.promote)(order, run, known)
        if advanced.rejected and not settled:
            outcome = "rejected"
    return Retrained.published(outcome, known, advanced, run.dataset, store, engine.seconds)


def _new(order: Order, run: Run, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    """Train a version, judge it, publish it, and promote it if it may be."""
    local, reaching_out, store = engine.local, engine.reaching_out, order.store
    if run.recipe.data.styles.count:
        with engine.stage("draw"):
            run = local(steps.draw)(run)
    with engine.stage("normalize"):
        preprocessing = local(steps.fit_normalizer)(run)
    with engine.stage("train"):
        trained = _train(run, preprocessing, engine)
    with engine.stage("evaluate"):
        evaluations = local(steps.evaluate)(run, preprocessing, trained)
    with engine.stage("judge"):
        verdict = reaching_out(promoting.judge)(order, run, preprocessing, trained, evaluations)
    measured = steps.EVALUATIONS.validate_json(evaluations.read())
    if dry_run:
        say(promoting.trial_in_words(verdict))
        name = recipe_path(order.recipe).stem
        return Retrained.trial(name, trained, measured, verdict, run.dataset, store, engine.seconds)
    with engine.stage("publish"):
        manifest = reaching_out(steps.publish)(order, run, preprocessing, trained, evaluations, verdict)
        card = reaching_out(store.read)(manifest, "card.md").decode()
        history = training.HISTORY.validate_json(trained.history.read())
        engine.show(*exhibits(manifest, history, measured.test, card))
    with engine.stage("promote"):
        mine.check()
        advanced = reaching_out(promoting.promote)(order, run, manifest)
    outcome: Outcome = "rejected" if advanced.rejected else "published"
    return Retrained.published(outcome, manifest, advanced, run.dataset, store, engine.seconds)


def _train(run: Run, preprocessing: FileRef, engine: Engine) -> TrainedRef:
    """Train the network, and show each epoch."""
    with TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            engine.epoch(report)  # first: a run that is stopped now says after which epoch, as people have just read
            progress.show(report)

        return training.train(run.dataset, preprocessing, run.recipe, run.work, on_epoch)
