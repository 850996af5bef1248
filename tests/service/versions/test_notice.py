"""How long the service waits between two looks."""

import pytest

from service.versions.notice import pause_after
from tests.floats import by_hand


@pytest.mark.parametrize(
    ("situation", "look_seconds", "interval", "pause"),
    [
        ("a look that costs next to nothing", 0.0, 0.5, 0.5),
        ("a look of a few versions", 0.001, 0.5, 0.5),
        ("a look of thousands of versions", 0.1, 0.5, 10.0),
        ("a look that costs more than anyone can wait for", 30.0, 0.5, 60.0),
        ("an interval that is longer than any pause", 30.0, 3600.0, 3600.0),
    ],
)
def test_the_pause_between_looks_grows_with_what_a_look_costs(situation, look_seconds, interval, pause):
    assert pause_after(look_seconds, interval) == by_hand(pause)
