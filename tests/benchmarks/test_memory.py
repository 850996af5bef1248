"""The memory of a service over hours."""

import os

from benchmarks.memory import Memory, watched


def grown(*megabytes: float) -> Memory:
    memory = Memory()
    for second, each in enumerate(megabytes):
        memory.note(float(second), each)
    return memory


def test_a_memory_that_grows_at_first_and_is_flat_then_has_no_slope():
    memory = grown(*range(50, 100), *[100] * 50)
    assert (memory.first, memory.last, round(memory.slope)) == (54.5, 100, 0)


def test_the_slope_is_in_megabytes_per_hour():
    assert round(grown(*[100 + second / 60 for second in range(100)]).slope) == 60


def test_one_measurement_has_no_slope():
    assert (grown(5).slope, grown(5).first, grown(5).last) == (0, 5, 5)


def test_a_process_is_measured_at_the_beginning_already():
    with watched(os.getpid(), every=60) as memory:
        assert memory.last > 1
