"""`Search`: the trials of a sweep, each a training with other values of the recipe."""

import time
from collections import deque
from collections.abc import Mapping

from core.errors import ConfigError
from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef
from pipelines.sweep.course import Course, Courses, trial_name
from pipelines.sweep.plan import Plan
from pipelines.sweep.rung import Rung
from pipelines.sweep.sampling import Sampling
from pipelines.sweep.space import Value

__all__ = ["Search", "rung_of"]


class Search:
    """Begins trials, and ends those that promise little. Those of a sweep that was interrupted come first.

    The first trial is the recipe as it is, if the space has its values: what all others are compared with.
    """

    def __init__(self, order: Order, plan: Plan, dataset: DatasetRef, sampling: Sampling, courses: Courses) -> None:
        """Look which trials an earlier run has left unfinished; begin none.

        Args:
            order: Recipe and overrides.
            plan: Of the sweep.
            dataset: What is trained on and validated with.
            sampling: Decides; only this object uses it now.
            courses: Where trainings are kept.
        """
        self._order, self._plan, self._dataset = order, plan, dataset
        self._sampling, self._courses = sampling, courses
        self._interrupted = deque(sampling.unfinished().items())
        self._until = time.monotonic() + plan.timeout.total_seconds() if plan.timeout is not None else None

    @property
    def timed_out(self) -> bool:
        """Whether it is too late to begin a trial."""
        return self._until is not None and time.monotonic() >= self._until

    def begin(self) -> Course | None:
        """See `Courser.begin`."""
        while True:
            if self._interrupted:
                number, values = self._interrupted.popleft()
            elif self._sampling.count >= self._plan.trials or self.timed_out:
                return None
            else:
                number, values = self._sampling.begin(self._first() if not self._sampling.count else None)
            course = self._courses.get(trial_name(number)) or self._new(number, values)
            if course.state == "running" and course.epochs:
                course = self.judge(course)
            self._courses.keep(course)
            if course.state == "running":
                return course
            self.end(course)

    def rung(self, course: Course) -> Rung:
        """See `Courser.rung`."""
        return rung_of(course, self._recipe(course.overrides), self._order, self._dataset, self._courses)

    def judge(self, course: Course) -> Course:
        """See `Courser.judge`."""
        prune = self._sampling.judge(course.trial, course.epochs)
        if course.trained:
            return course.model_copy(update={"state": "complete"})
        return course.model_copy(update={"state": "pruned"}) if prune else course

    def end(self, course: Course) -> None:
        """See `Courser.end`."""
        if course.state == "complete" and course.result:
            self._sampling.complete(course.trial, course.result)
        elif course.state == "pruned":
            self._sampling.prune(course.trial)
        else:
            self._sampling.fail(course.trial)
        self._courses.forget_checkpoint(course.name)

    def _new(self, number: int, values: Mapping[str, Value]) -> Course:
        overrides = self._plan.space.overrides(values)
        try:
            recipe = self._recipe(overrides)
        except ConfigError as error:  # not every combination was tried out before the sweep
            return Course(
                name=trial_name(number),
                trial=number,
                seed=0,
                overrides=overrides,
                fingerprint="",
                planned=0,
                state="failed",
                reason=str(error),
            )
        fingerprint = provenance.fingerprint(self._dataset.deciding, recipe)
        return Course.of(trial_name(number), number, overrides, recipe, fingerprint)

    def _first(self) -> dict[str, Value] | None:
        return self._plan.space.own(load_recipe(self._order.recipe, self._order.overrides))

    def _recipe(self, overrides: tuple[str, ...]) -> Recipe:
        return load_recipe(self._order.recipe, [*self._order.overrides, *overrides])


def rung_of(course: Course, recipe: Recipe, order: Order, dataset: DatasetRef, courses: Courses) -> Rung:
    """The next epoch of a training, from its last checkpoint on."""
    return Rung(
        name=course.name,
        recipe=recipe,
        dataset=dataset,
        mirrors=order.mirrors,
        fingerprint=course.fingerprint,
        epochs=len(course.epochs) + 1,
        checkpoint=courses.checkpoint(course.name),
    )
