"""When a worker is started in the place of one that has ended."""

from math import inf
from time import monotonic

from service.server.slots import FIRST_PAUSE, LONG_LIFE, LONGEST_PAUSE, Slots


def test_at_first_a_worker_is_due_in_each_place():
    slots = Slots(2)
    assert slots.take_due() == [1, 2]
    assert slots.take_due() == []
    assert slots.next_due() == inf


def test_a_worker_that_keeps_dying_is_replaced_after_ever_longer_pauses():
    slots = Slots(1)
    pauses = [slots.vacate(1, lived=0.0) for _ in range(9)]
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert slots.next_due() > monotonic()


def test_a_worker_that_has_lived_long_is_replaced_at_once_again():
    slots = Slots(1)
    for _ in range(9):
        slots.vacate(1, lived=0.0)
    assert slots.vacate(1, lived=LONG_LIFE + 1) == FIRST_PAUSE
