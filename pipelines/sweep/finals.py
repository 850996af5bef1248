"""`Finals`: the best trials trained again with other seeds, so that luck is told from better values.

The best of many trials is partly the luckiest. Its own result is therefore too good to be true; with seeds that the
search has not used, it is an honest one.
"""

from collections.abc import Sequence
from itertools import product

from pipelines import provenance
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe
from pipelines.references import DatasetRef
from pipelines.sweep.course import Course, Courses
from pipelines.sweep.rung import Rung
from pipelines.sweep.search import rung_of

__all__ = ["FINALISTS", "SEEDS", "Finals"]

FINALISTS = 3
"""How many trials are trained again."""

SEEDS = 3
"""With how many seeds."""


class Finals:
    """The trainings of the finalists: all of them, to the end."""

    def __init__(self, order: Order, dataset: DatasetRef, finalists: Sequence[Course], courses: Courses) -> None:
        """Begin none.

        Args:
            order: Recipe and overrides.
            dataset: What is trained on and validated with.
            finalists: Complete trials.
            courses: Where trainings are kept, with the checkpoints of complete ones, too.
        """
        self._order, self._dataset, self._courses = order, dataset, courses
        seed = load_recipe(order.recipe, order.overrides).train.seed
        self._left = list(product(finalists, range(seed + 1, seed + 1 + SEEDS)))
        self.names = tuple(_name(finalist, number) for finalist, number in self._left)

    def begin(self) -> Course | None:
        """See `Courser.begin`."""
        while self._left:
            finalist, seed = self._left.pop(0)
            course = self._courses.get(_name(finalist, seed)) or self._new(finalist, seed)
            course = self.judge(course)
            self._courses.keep(course)
            if course.state == "running":
                return course
        return None

    def rung(self, course: Course) -> Rung:
        """See `Courser.rung`."""
        return rung_of(course, self._recipe(course.overrides), self._order, self._dataset, self._courses)

    def judge(self, course: Course) -> Course:
        """See `Courser.judge`."""
        return course.model_copy(update={"state": "complete"}) if course.trained else course

    def end(self, course: Course) -> None:
        """See `Courser.end`."""

    def _new(self, finalist: Course, seed: int) -> Course:
        overrides = (*finalist.overrides, f"train.seed={seed}")
        recipe = self._recipe(overrides)
        fingerprint = provenance.fingerprint(self._dataset.deciding, recipe)
        return Course.of(_name(finalist, seed), finalist.trial, overrides, recipe, fingerprint)

    def _recipe(self, overrides: tuple[str, ...]) -> Recipe:
        return load_recipe(self._order.recipe, [*self._order.overrides, *overrides])


def _name(finalist: Course, seed: int) -> str:
    return f"{finalist.name}-seed-{seed}"
