"""Which rung comes next."""

from pipelines.sweep.course import Course
from pipelines.sweep.driving import _Units


class Listed:
    """Begins trainings from a list; a rung is its course."""

    def __init__(self, *names):
        self._left = [course_of(name) for name in names]

    def begin(self):
        return self._left.pop(0) if self._left else None

    def rung(self, course):
        return course


def course_of(name):
    return Course(name=name, trial=0, seed=0, overrides=(), fingerprint="", planned=3)


def test_of_trainings_that_go_on_the_last_one_is_first_and_new_ones_wait():
    units = _Units(Listed("new"))
    units.follow(course_of("first"))
    units.follow(course_of("second"))
    assert [course.name for course in units] == ["second", "first", "new"]
    units.follow(course_of("late"))  # what has ended may go on after the next result
    assert [course.name for course in units] == ["late"]
