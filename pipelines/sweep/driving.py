"""The loop of a sweep: rungs go to workers, what comes back is kept, and it is decided what follows."""

from collections.abc import Callable, Iterator
from typing import Protocol, Self

from pipelines.sweep.course import Course, Courses
from pipelines.sweep.rung import Climbed, Rung, climb
from pipelines.workers import Workers

__all__ = ["Courser", "drive"]


class Courser(Protocol):
    """Decides which trainings there are, and which of them go on."""

    def begin(self) -> Course | None:
        """The next training: a new one, or one that was interrupted; None if none is left. It is kept already."""

    def rung(self, course: Course) -> Rung:
        """The next epoch of a training."""

    def judge(self, course: Course) -> Course:
        """The training after an epoch, perhaps in another state. The same training is judged the same again."""

    def end(self, course: Course) -> None:
        """Take notice of a training that runs no longer, and has been kept."""


def drive(courser: Courser, courses: Courses, workers: Workers, told: Callable[[Course], None]) -> None:
    """Train until nothing is left to begin and everything that was begun has ended.

    A kill between any two of these lines loses an epoch at most: what was kept is judged and ended by the next sweep.

    Args:
        courser: Decides.
        courses: Where each training is kept after each epoch, before it is decided how it goes on.
        workers: Who trains.
        told: Called with each training after each of its epochs.
    """
    units = _Units(courser)
    for rung, climbed in workers.run(climb, units):
        course = _after(courses[rung.name], climbed)
        courses.keep(course, climbed.checkpoint)
        if course.state == "running":
            course = courser.judge(course)
        if course.state == "running":
            units.follow(course)
        else:
            courses.keep(course)
            courser.end(course)
        told(course)


def _after(course: Course, climbed: Climbed) -> Course:
    cpu_seconds = course.cpu_seconds + climbed.cpu_seconds
    if climbed.failure:
        failed = {"cpu_seconds": cpu_seconds, "state": "failed", "reason": climbed.failure, "kept": 0}
        return course.model_copy(update=failed)
    return course.model_copy(
        update={
            "cpu_seconds": cpu_seconds,
            "epochs": climbed.epochs,
            "kept": climbed.kept,
            "weights_sha256": climbed.weights_sha256,
        }
    )


class _Units(Iterator[Rung]):
    """The rungs that can be climbed now. There may be more after the next result, so it may end several times."""

    def __init__(self, courser: Courser) -> None:
        self._courser = courser
        self._begun: list[Course] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Rung:
        course = self._begun.pop() if self._begun else self._courser.begin()
        if course is None:
            raise StopIteration
        return self._courser.rung(course)

    def follow(self, course: Course) -> None:
        """Have the next epoch of a training done: before another one is begun, by the worker that has just been.

        Where several results come at once, the worker of the last one is the first that is handed a part.
        """
        self._begun.append(course)
