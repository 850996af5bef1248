"""`Swept`: what a sweep has come to so far, as `--json` prints it and the report shows it."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sweep.choices import Objective, Pruner
from pipelines.sweep.course import Course, Epoch, State

__all__ = ["Finalist", "Published", "Row", "Swept", "Unsteady"]

_T_95 = {2: 4.303, 3: 3.182, 4: 2.776}
"""Two-sided 95% quantiles of Student's t distribution, by degrees of freedom."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class Row(_Part):
    """One trial."""

    number: int
    state: State
    values: dict[str, str] = Field(description="Each as TOML.")
    epochs: int
    planned: int
    validation_loss: float | None = Field(description="In nats, of the epoch whose weights count.")
    validation_accuracy: float | None
    cpu_seconds: float
    reason: str = Field(description="Why it failed.")
    weights_sha256: str
    own: bool = Field(description="Whether its values are the recipe's own.")
    losses: tuple[float, ...] = Field(description="On the validation images after each epoch.")

    @classmethod
    def of(cls, course: Course, own: tuple[str, ...] | None) -> Self:
        """The row of a training."""
        result = course.result
        values = dict(override.split("=", 1) for override in course.overrides)
        return cls(
            number=course.trial,
            state=course.state,
            values=values,
            epochs=len(course.epochs),
            planned=course.planned,
            validation_loss=result.validation_loss if result else None,
            validation_accuracy=result.validation_accuracy if result else None,
            cpu_seconds=course.cpu_seconds,
            reason=course.reason,
            weights_sha256=course.weights_sha256,
            own=course.overrides == own,
            losses=tuple(epoch.validation_loss for epoch in course.epochs),
        )

    def measure(self, objective: Objective) -> float | None:
        """What is judged of it."""
        return self.validation_loss if objective == "loss" else self.validation_accuracy


class Finalist(_Part):
    """A trial that was trained again with other seeds. The lists have one value for each seed."""

    number: int
    seeds: tuple[int, ...]
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    weights_sha256: tuple[str, ...]

    def measures(self, objective: Objective) -> tuple[float, ...]:
        """What is judged of it."""
        return self.losses if objective == "loss" else self.accuracies

    def mean(self, objective: Objective) -> float:
        """The mean over the seeds."""
        return statistics.fmean(self.measures(objective))

    def spread(self, objective: Objective) -> float:
        """The standard deviation over the seeds; 0 for one seed."""
        return statistics.stdev(self.measures(objective)) if len(self.seeds) > 1 else 0.0

    def middle(self, objective: Objective) -> int:
        """The seed of the median: neither the luckiest nor the unluckiest."""
        ranked = sorted(zip(self.measures(objective), self.seeds, strict=True))
        return ranked[(len(ranked) - 1) // 2][1]


class Unsteady(_Part):
    """A training with another seed that failed. Its trial is no finalist, however good it was with the first seed."""

    number: int
    seed: int
    reason: str

    def __str__(self) -> str:
        return f"trial {self.number} failed with seed {self.seed}: {self.reason}"


class Published(_Part):
    """The version that the sweep has published."""

    version: int
    alias: str
    seed: int
    repository: str
    promote: bool = Field(description="Whether the gate would promote it.")
    verdict: str
    test_accuracy: float
    report: str | None


class Swept(_Part):
    """What a sweep has come to."""

    recipe: str
    space: str
    name: str = Field(description="Of the sweep's folder.")
    objective: Objective
    pruner: Pruner
    seed: int
    wanted: int = Field(description="How many trials were asked for, now or earlier.")
    finished: bool = Field(description="Whether nothing is left to do.")
    timed_out: bool = Field(description="Whether --timeout ended it before the last trial; the same command goes on.")
    trials: tuple[Row, ...]
    best: int | None = Field(description="The best trial, by its mean over the seeds once that is known.")
    beyond_luck: bool | None = Field(
        description="Whether the best mean is ahead of the second one by more than seeds explain (95%)."
    )
    finalists: tuple[Finalist, ...] = Field(description="The best mean first.")
    unsteady: tuple[Unsteady, ...] = Field(description="Trainings that failed with another seed.")
    importances: dict[str, float] = Field(description="Shares of what makes a trial one of the best (PED-ANOVA).")
    cpu_seconds: float = Field(description="Of all trainings.")
    cpu_seconds_saved: float = Field(description="By ending trials early, estimated from their own epochs.")
    command: str | None = Field(description="Trains the best.")
    published: Published | None
    report: str

    @property
    def sentence(self) -> str:
        """What came of it, in a line for people."""
        states = [row.state for row in self.trials]
        ended = len(states) - states.count("running")
        counts = f"{ended} of {self.wanted} trials have ended, {states.count('pruned')} of them early"
        row = self.best_row
        if row is None:
            return f"{counts}; none is complete"
        measured = _words(row.validation_loss, row.validation_accuracy)
        if self.finalists:
            first = self.finalists[0]
            losses, accuracies = statistics.fmean(first.losses), statistics.fmean(first.accuracies)
            measured = f"mean of {len(first.seeds)} seeds: {_words(losses, accuracies)}"
        left_out = "".join(f"; {one}" for one in self.unsteady)
        return f"{counts}; the best is trial {row.number}, {measured}{left_out}"

    @property
    def best_row(self) -> Row | None:
        """The row of the best trial."""
        return next((row for row in self.trials if row.number == self.best), None)


def rank(courses: Iterable[Course], value: Callable[[Epoch], float], objective: Objective) -> list[Course]:
    """The complete ones, the best first; of equals, the earlier one."""
    sign = 1 if objective == "loss" else -1
    found = [
        (sign * value(course.result), course.trial, course)
        for course in courses
        if course.state == "complete" and course.result
    ]
    return [course for *_, course in sorted(found, key=lambda entry: entry[:2])]


def finalists_of(courses: Sequence[Course], objective: Objective) -> tuple[Finalist, ...]:
    """The trials all of whose seeds are trained, the best mean first."""
    found = []
    for trial in dict.fromkeys(course.trial for course in courses):
        of_trial = [course for course in courses if course.trial == trial]
        results = [course.result for course in of_trial if course.state == "complete" and course.result]
        if len(results) == len(of_trial):
            found.append(
                Finalist(
                    number=trial,
                    seeds=tuple(course.seed for course in of_trial),
                    losses=tuple(result.validation_loss for result in results),
                    accuracies=tuple(result.validation_accuracy for result in results),
                    weights_sha256=tuple(course.weights_sha256 for course in of_trial),
                )
            )
    return tuple(sorted(found, key=lambda one: one.mean(objective), reverse=objective == "accuracy"))


def unsteady_of(courses: Iterable[Course]) -> tuple[Unsteady, ...]:
    """The trainings of finalists that failed."""
    failed = (course for course in courses if course.state == "failed")
    return tuple(Unsteady(number=one.trial, seed=one.seed, reason=one.reason) for one in failed)


def beyond_luck(finalists: Sequence[Finalist], objective: Objective) -> bool | None:
    """Whether the first mean differs from the second by more than seeds explain: Welch's t test, two-sided, 95%.

    None if there are fewer than two, or too few seeds to tell.
    """
    if len(finalists) < 2 or any(len(one.seeds) < 2 for one in finalists[:2]):
        return None
    first, second = finalists[:2]
    variances = [one.spread(objective) ** 2 / len(one.seeds) for one in (first, second)]
    total = sum(variances)
    difference = abs(first.mean(objective) - second.mean(objective))
    if not total:
        return difference > 0
    freedom = total**2 / sum(v**2 / (len(one.seeds) - 1) for v, one in zip(variances, (first, second), strict=True))
    return bool(difference > _T_95[max(2, min(4, int(freedom)))] * total**0.5)


def saved(courses: Iterable[Course]) -> float:
    """The CPU seconds that pruned trials would have taken to their ends, by what their epochs took."""
    return sum(
        course.cpu_seconds / len(course.epochs) * (course.planned - len(course.epochs))
        for course in courses
        if course.state == "pruned" and course.epochs
    )


def _words(loss: float | None, accuracy: float | None) -> str:
    return f"validation loss {loss:.4f}, accuracy {accuracy:.2%}" if loss is not None and accuracy is not None else ""
