"""The job: download → verify → gather → draw → normalize → train → evaluate → judge → publish → promote."""

from datetime import timedelta

from core.artifact.manifest import Manifest
from core.train.report import EpochReport
from pipelines import leftovers, preflight
from pipelines.engine.engine import Engine
from pipelines.engine.stopping import raise_stop
from pipelines.notices.announcer import Announcer, to_webhook
from pipelines.notices.outcome import failure_of, notices_of
from pipelines.order import Order
from pipelines.progress import TrainingProgress
from pipelines.promotion.advance import Advance
from pipelines.recipe import Recipe, recipe_path
from pipelines.references import FileRef, TrainedRef
from pipelines.report import render_card
from pipelines.retrain import promoting, steps, teaching, training, work
from pipelines.retrain.exhibits import exhibits, name_of, tags_of, verdict_of
from pipelines.retrain.recorded import recorded
from pipelines.retrain.retrained import Outcome, Retrained
from pipelines.retrain.run import Run
from pipelines.retrain.turn import Turn, turn
from pipelines.settings import Settings
from pipelines.voice import say


def retrain(order: Order, engine: Engine, *, dry_run: bool = False, run_id: str | None = None) -> Retrained:
    """Train a version with a recipe, publish it, and promote it unless the gate finds it worse than those before it.

    Running it again with nothing changed (data, recipe, code) trains nothing. One run at a time works for a repository.

    Args:
        order: What to retrain.
        engine: Runs the steps.
        dry_run: Whether to end with the verdict and publish nothing; a run after it takes over what is trained here.
        run_id: The flow run of Prefect in whose process this is called, if it is.
    """
    announcer = Announcer([engine.announce, to_webhook], say)
    try:
        with recorded(order, run_id) as recording:
            recipe = preflight.check(order)
            with turn(order.store.lease(Settings().lease_seconds), order.wait, say) as mine:
                result = _retrain(order, recipe, engine, mine, dry_run=dry_run)
            if not dry_run:
                recording.ended(result)
    except Exception as error:
        raise_stop(error)
        announcer.announce(failure_of(order, error))
        raise
    engine.conclude(result.sentence)
    engine.show(lambda: [verdict_of(result)])
    engine.title(name_of(result, order.title), tags_of(result))
    announcer.announce(*notices_of(result))
    return result


def _retrain(order: Order, recipe: Recipe, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    leftovers.reclaim(order.data_dir, timedelta(days=Settings().keep_days), say)
    run = with_its_data(order, recipe, engine)
    with work.held(run, say):
        if known := steps.find_unchanged(order.store, run.fingerprint):
            say(f"unchanged: version {known.version} has the same data, recipe and code; nothing to train")
            result = _known(order, run, known, engine, mine, dry_run=dry_run)
        else:
            result = _new(order, run, engine, mine, dry_run=dry_run)
        if not dry_run:
            training.clear(run.dataset, run.recipe, run.work)
    return result


def with_its_data(order: Order, recipe: Recipe, engine: Engine) -> Run:
    """Bring and check all data: the run that trains a recipe on it."""
    reaching_out = engine.reaching_out
    with engine.stage("download"):
        files = reaching_out(steps.download)(order.data_dir, order.mirrors)
    with engine.stage("verify"):
        dataset = steps.verify(files)
    with engine.stage("gather"):
        dataset = reaching_out(steps.gather)(order, recipe, dataset)
        dataset = reaching_out(teaching.find)(order.store, recipe, dataset)
    return Run.of(dataset, recipe, order.data_dir)


def _known(order: Order, run: Run, known: Manifest, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    """Promote a version that was published before, if that is still to be done: its run may have been killed.

    If that makes it the champion, or a canary, or it fails its trial now, the outcome is the one which that run would
    have had. Otherwise nothing has changed: a rejection that was found before would be told again by every later run.
    """
    store = order.store
    if dry_run:
        advanced = Advance(promoted=store.alias().target() == known.version)
    else:
        with engine.stage("promote"):
            advanced = engine.reaching_out(promoting.promote)(order, run, known, mine.check)
    found: Outcome = "rejected" if advanced.failed else "unchanged"
    outcome: Outcome = "published" if advanced.moved or advanced.begun else found
    return Retrained.published(outcome, known, advanced, run.dataset, store, engine.seconds)


def _new(order: Order, run: Run, engine: Engine, mine: Turn, *, dry_run: bool) -> Retrained:
    """Train a version, judge it, publish it, and promote it if it may be."""
    reaching_out, store = engine.reaching_out, order.store
    if run.recipe.data.styles.count:
        with engine.stage("draw"):
            run = steps.draw(run)
    with engine.stage("normalize"):
        preprocessing = steps.fit_normalizer(run)
    with engine.stage("train"):
        trained = _train(run, preprocessing, engine)
    with engine.stage("evaluate"):
        evaluations = steps.evaluate(run, preprocessing, trained)
    with engine.stage("judge"):
        verdict = reaching_out(promoting.judge)(order, run, preprocessing, trained, evaluations)
    measured = steps.EVALUATIONS.validate_json(evaluations.read())
    if dry_run:
        say(promoting.dry_run_in_words(verdict))
        name = recipe_path(order.recipe).stem
        return Retrained.dry_run(name, trained, measured, verdict, run.dataset, store, engine.seconds)
    with engine.stage("publish"):
        reaching_out(mine.check)()
        manifest = reaching_out(steps.publish)(order, run, preprocessing, trained, evaluations, verdict)
    engine.show(
        lambda: exhibits(
            manifest,
            training.HISTORY.validate_json(trained.history.read()),
            measured.test,
            render_card(manifest).decode(),
        )
    )
    with engine.stage("promote"):
        advanced = reaching_out(promoting.promote)(order, run, manifest, mine.check)
    outcome: Outcome = "rejected" if advanced.rejected else "published"
    return Retrained.published(outcome, manifest, advanced, run.dataset, store, engine.seconds)


def _train(run: Run, preprocessing: FileRef, engine: Engine) -> TrainedRef:
    """Train the network, and show each epoch."""
    with TrainingProgress() as progress:

        def on_epoch(report: EpochReport) -> None:
            engine.epoch(report)  # first: a run that is stopped now says after which epoch, as people have just read
            progress.tell(report)

        return training.train(run.dataset, preprocessing, run.recipe, run.work, on_epoch)
