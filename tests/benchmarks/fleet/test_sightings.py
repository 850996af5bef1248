"""When a version was first seen, and by whom it is waited for."""

import threading

import pytest

from benchmarks.fleet.sightings import Sightings
from core.errors import ConfigError


def test_the_first_answer_of_a_version_counts_and_later_ones_do_not_move_it():
    seen = Sightings("a replica")
    seen.note(1)
    first = seen.wait(1, 0)
    seen.note(2)
    seen.note(2)
    assert first == seen.wait(1, 0) <= seen.wait(2, 0)


def test_who_waits_for_a_version_is_woken_when_it_answers():
    seen = Sightings("a replica")
    threading.Timer(0.01, seen.note, (3,)).start()
    assert seen.wait(3, 60) > 0


def test_an_earlier_version_that_answers_after_a_later_one_is_counted():
    seen = Sightings("a replica")
    for version in (1, 2, 1, 3, 2):
        seen.note(version)
    assert seen.backwards == 2


@pytest.mark.parametrize(("versions", "instead"), [((), "nothing does"), ((1, 2), "version 2 does")])
def test_a_version_that_does_not_answer_in_time_is_an_error_that_says_what_does(versions, instead):
    seen = Sightings("replica 3 of 8")
    for version in versions:
        seen.note(version)
    with pytest.raises(ConfigError, match=f"replica 3 of 8: version 7 does not answer after 0 s, {instead}"):
        seen.wait(7, 0)
