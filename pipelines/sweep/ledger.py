"""`Ledger`: a sweep's account for people, while it runs: lines or a progress bar, and the report as trials end."""

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from core.data.durable import write_whole
from pipelines.order import Order
from pipelines.progress import Bar
from pipelines.recipe import load_recipe, recipe_path
from pipelines.report.sweep_page import render_sweep
from pipelines.sweep.course import Course, Courses
from pipelines.sweep.plan import Plan
from pipelines.sweep.sampling import Sampling
from pipelines.sweep.swept import Published, Row, Swept, beyond_luck, finalists_of, rank, saved, unsteady_of
from pipelines.voice import say

__all__ = ["Ledger"]

_SHARE = 20
"""The report is written again after so many times as long as it took: a sweep spends its time on training."""

_FIRST = 5.0
"""Seconds before the report is written first: of a sweep that ends sooner, once is enough."""


class Ledger:
    """Shows a sweep. The report and the bar are shown while the block lasts."""

    def __init__(self, order: Order, plan: Plan, folder: Path, sampling: Sampling, courses: Courses) -> None:
        self._order, self._plan, self._folder = order, plan, folder
        self._sampling, self._courses = sampling, courses
        self._output = plan.output or folder / "report.html"
        self._own = plan.space.own(load_recipe(order.recipe, order.overrides))
        self._next = time.monotonic() + _FIRST
        self.final_names: tuple[str, ...] = ()
        self.published: Published | None = None
        self.timed_out = False
        self._bar = Bar("sweep", "trials", self.wanted, elapsed=True)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(course.state != "running" for course in self._courses.trials())

    @property
    def wanted(self) -> int:
        """How many trials there are to be: an earlier run may have asked for more of them."""
        return max(self._plan.trials, len(self._courses.trials()))

    def turn_to(self, what: str, names: tuple[str, ...]) -> None:
        """Show the progress of other trainings from now on."""
        self.final_names = names
        self._bar.show(0, "", total=len(names), unit=what)

    def pause(self) -> None:
        """Take the bar away: what follows shows its own progress."""
        self._bar.stop()

    def told(self, course: Course) -> None:
        """Tell people of an epoch, or of the end of a training."""
        last = course.epochs[-1] if course.epochs else None
        measured = f"loss {last.validation_loss:.4f}, accuracy {last.validation_accuracy:.2%}" if last else ""
        where = f"trial {course.trial}" + (f" with seed {course.seed}" if self.final_names else "")
        self._bar.show(self._completed(), f"{where}: {measured}")
        if course.state == "running":
            return
        epochs = f"after epoch {len(course.epochs)} of {course.planned}, validation {measured}"
        state = course.state if course.state != "pruned" else "ended early"
        say(f"{where}: {state} {epochs}" if not course.reason else f"{where}: failed: {course.reason}")
        if time.monotonic() >= self._next:
            self.write(finished=False)

    def write(self, *, finished: bool) -> Swept:
        """Write the report as it stands.

        Raises:
            StorageError: It cannot be written.
        """
        started = time.monotonic()
        swept = self.swept(finished=finished)
        write_whole(self._output, render_sweep(swept))
        now = time.monotonic()
        self._next = now + _SHARE * (now - started)
        return swept

    def swept(self, *, finished: bool) -> Swept:
        """What the sweep has come to."""
        plan, objective = self._plan, self._plan.objective
        trials, finals = self._courses.trials(), [c for name in self.final_names if (c := self._courses.get(name))]
        own = plan.space.overrides(self._own) if self._own else None
        ranked = rank(trials, self._sampling.value, objective)
        finalists = finalists_of(finals, objective) if len(finals) == len(self.final_names) else ()
        best = finalists[0].number if finalists else ranked[0].trial if ranked else None
        found = next((course for course in trials if course.trial == best), None)
        return Swept(
            recipe=recipe_path(self._order.recipe).stem,
            space=plan.space.file,
            name=self._folder.name,
            objective=objective,
            pruner=plan.pruner,
            seed=plan.seed,
            wanted=self.wanted,
            finished=finished,
            timed_out=self.timed_out,
            trials=tuple(Row.of(course, own) for course in trials),
            best=best,
            beyond_luck=beyond_luck(finalists, objective),
            finalists=finalists,
            unsteady=unsteady_of(finals),
            importances=self._sampling.importances(),
            cpu_seconds=sum(course.cpu_seconds for course in (*trials, *finals)),
            cpu_seconds_saved=saved(trials),
            command=self._command(found) if found else None,
            published=self.published,
            report=str(self._output),
        )

    def _command(self, course: Course) -> str:
        """Trains the same, with the seed of the recipe."""
        words = ["python", "-m", "pipelines", "retrain", "--recipe", self._order.recipe]
        sets: Sequence[str] = (*self._order.overrides, *course.overrides)
        return " \\\n    ".join([shlex.join(words), *(shlex.join(["--set", one]) for one in sets)])

    def _completed(self) -> int:
        names = self.final_names
        return sum(c.state != "running" for n in names if (c := self._courses.get(n))) if names else self.ended
