"""How the speed of a machine is learned."""

from service.recognition.pace import FASTEST, SLOWEST, Pace
from tests.floats import by_hand, close


def learned(*tasks: tuple[float, float]) -> Pace:
    pace = Pace()
    for expected, taken in tasks:
        pace.learn(expected, taken)
    return pace


def test_a_machine_is_as_fast_as_expected_until_something_is_measured():
    assert Pace()(3.0) == by_hand(3.0)


def test_a_slow_machine_is_learned_after_some_tasks_of_any_size():
    pace = learned(*[(0.004, 0.012), (0.3, 0.9)] * 100)
    assert pace(1.0) == close(3.0, rel=0.01, why="what was assumed at first fades away")


def test_nobody_can_mislead_the_estimate_beyond_its_bounds():
    assert learned(*[(0.001, 60.0)] * 100)(1.0) == by_hand(SLOWEST)
    assert learned(*[(0.3, 0.0)] * 100)(1.0) == by_hand(FASTEST)
