"""The sweep as a whole: search → the best on other seeds → publish. What a kill must not cost is on disk."""

from contextlib import AbstractContextManager, suppress

from core.data.durable import UNFINISHED
from core.errors import ConfigError
from pipelines.engine.engine import Engine
from pipelines.engine.stopping import Stopped
from pipelines.lock import locked
from pipelines.order import Order
from pipelines.recipe import load_recipe
from pipelines.references import DatasetRef
from pipelines.retrain import steps, teaching
from pipelines.sweep import challenger
from pipelines.sweep.course import Course, Courses
from pipelines.sweep.driving import drive
from pipelines.sweep.finals import FINALISTS, SEEDS, Finals
from pipelines.sweep.ledger import Ledger
from pipelines.sweep.plan import Plan
from pipelines.sweep.sampling import Sampling
from pipelines.sweep.search import Search
from pipelines.sweep.swept import Swept, rank
from pipelines.voice import say
from pipelines.workers import Workers

__all__ = ["sweep", "sweep_on"]


def sweep(order: Order, plan: Plan, crew: AbstractContextManager[Workers]) -> Swept:
    """Search for better values of a recipe; done again with the same arguments, it goes on where it was.

    Test images are not used: trials are judged on the validation images alone. The version that is published is
    measured on the test images once, as any other.

    Args:
        order: Recipe, overrides, and where data and versions are.
        plan: What is tried, and how often.
        crew: The workers, which begin and end with its block.

    Raises:
        ConfigError: The recipe trains an ensemble, or the space does not fit it.
        StorageError: Something cannot be written.
        WorkerLostError: A training killed its workers again and again.
    """
    _check(order, plan)
    return sweep_on(_dataset(order), order, plan, crew)


def sweep_on(dataset: DatasetRef, order: Order, plan: Plan, crew: AbstractContextManager[Workers]) -> Swept:
    """The same, with data that is there already."""
    recipe = load_recipe(order.recipe, order.overrides)
    folder = order.data_dir / "sweeps" / plan.name(order, dataset)
    with locked(folder.with_name(f"{folder.name}.lock"), _waiting, say):
        folder.mkdir(parents=True, exist_ok=True)
        # What is unfinished is of a sweep that was killed, since whoever holds the folder writes there alone.
        for file in folder.rglob(UNFINISHED):
            with suppress(OSError):
                file.unlink()
        sampling = Sampling(
            folder / "journal.log",
            plan.space,
            objective=plan.objective,
            pruner=plan.pruner,
            epochs=plan.space.longest(recipe),
            seed=plan.seed,
        )
        courses = Courses(folder / "trainings")
        with Ledger(order, plan, folder, sampling, courses) as ledger:
            if ledger.ended:
                say(f"the sweep goes on: {ledger.ended} of {ledger.wanted} trials have ended before")
            try:
                return _conduct(order, plan, dataset, sampling, courses, ledger, crew)
            except Stopped as stopped:
                done = f"{ledger.ended} of {ledger.wanted} trials have ended"
                stopped.tell(f"stopped: {done}; run the same command again to go on")
                raise


def _conduct(
    order: Order,
    plan: Plan,
    dataset: DatasetRef,
    sampling: Sampling,
    courses: Courses,
    ledger: Ledger,
    crew: AbstractContextManager[Workers],
) -> Swept:
    with crew as workers:
        search = Search(order, plan, dataset, sampling, courses)
        drive(search, courses, workers, ledger.told)
        ledger.timed_out = search.timed_out and ledger.ended < ledger.wanted
        if ledger.timed_out:
            say(f"the time is up after {ledger.ended} of {ledger.wanted} trials; the same command begins further ones")
        ranked = rank(courses.trials(), sampling.value, plan.objective)
        finals = Finals(order, dataset, ranked[:FINALISTS], courses)
        ledger.turn_to("seeds", finals.names)
        if finals.names:
            say(f"the best {len(ranked[:FINALISTS])} are trained again, with {SEEDS} other seeds each")
        drive(finals, courses, workers, ledger.told)
    swept = ledger.write(finished=False) if plan.publish else ledger.swept(finished=False)
    chosen = _chosen(swept, courses, finals)
    for name in finals.names:
        if chosen is None or name != chosen.name:
            courses.forget_checkpoint(name)
    if plan.publish and chosen is None:
        say(_nothing(swept))
    elif plan.publish and chosen:
        why = f"the best of {len(swept.trials)} trials of the sweep {swept.name}, by its mean over {SEEDS} seeds"
        ledger.pause()
        ledger.published = challenger.publish(order, dataset, chosen, courses.checkpoint(chosen.name), why)
        courses.forget_checkpoint(chosen.name)
    return ledger.write(finished=not ledger.timed_out)


def _chosen(swept: Swept, courses: Courses, finals: Finals) -> Course | None:
    """Of the best mean, the training with the seed whose result is the middle one; None without any finalist."""
    if not swept.finalists:
        return None
    first = swept.finalists[0]
    wanted = first.number, first.middle(swept.objective)
    return next(course for name in finals.names if ((course := courses[name]).trial, course.seed) == wanted)


def _nothing(swept: Swept) -> str:
    """Why nothing is published, and what to do."""
    why = "; ".join(map(str, swept.unsteady)) or "no trial is complete"
    step = "run the same command again" if swept.timed_out else "try a narrower --space"
    return f"nothing is published: {why}; {step}"


def _check(order: Order, plan: Plan) -> None:
    members = load_recipe(order.recipe, order.overrides).members()
    if len(members) > 1:
        raise ConfigError(
            f"{order.title} trains {len(members)} networks, expected a recipe of one; sweep a recipe of one of its "
            "members, then train the ensemble with what was found"
        )
    plan.space.check(order.recipe, order.overrides)


def _dataset(order: Order) -> DatasetRef:
    """Bring and check all data, as a retraining does."""
    engine = Engine()
    recipe = load_recipe(order.recipe, order.overrides)
    files = engine.reaching_out(steps.download)(order.data_dir, order.mirrors)
    dataset = engine.reaching_out(steps.gather)(order, recipe, steps.verify(files))
    return engine.reaching_out(teaching.find)(order.store, recipe, dataset)


def _waiting(holder: str) -> None:
    say(f"the same sweep runs already ({holder}); waiting for it to end")
