import asyncio
import sys

from service.occupied import occupied
from service.server.trimming import Trimming, trim, unused


def looks(levels: list[int], needed: list[int], unused: list[int] | None = None) -> list[int]:
    """At which of the looks memory is given back, if the process occupies, needs and has freed so much (in MB)."""
    megabyte, now, number, trimmed = 1024 * 1024, [0], 0, []

    def give_back() -> None:
        trimmed.append(number)
        now[0] = needed[number] * megabyte

    freed = unused or [0] * len(levels)
    trimming = Trimming(lambda: now[0], give_back, lambda: freed[number] * megabyte)
    for level in levels:
        now[0] = level * megabyte
        asyncio.run(trimming.look())
        number += 1
    return trimmed


def test_memory_is_given_back_as_soon_as_the_process_has_grown():
    assert looks([10, 100, 10, 100], [0, 10, 10, 10]) == [1, 3]


def test_a_little_growth_is_not_worth_it():
    assert looks([10, 16, 10, 16], [0, 0, 0, 0]) == []


def test_what_is_needed_is_tried_less_and_less_often():
    assert looks([100] * 40, [100] * 40) == [0, 2, 6, 14, 30]


def test_what_was_needed_for_a_while_is_given_back_afterwards():
    levels, needed = [100] * 40, [100] * 16 + [10] * 24
    assert min(number for number in looks(levels, needed) if number >= 16) == 30


def test_what_is_freed_meanwhile_is_given_back_at_once():
    levels, needed = [100] * 40, [100] * 16 + [10] * 24
    assert looks(levels, needed, [0] * 16 + [90] * 24)[:5] == [0, 2, 6, 14, 16]


def test_what_was_given_back_does_not_count_again():
    assert looks([100] * 40, [100] * 40, [50] * 40) == [0, 2, 6, 14, 30]


def test_the_memory_of_this_process_is_known_and_can_be_trimmed():
    trim()
    assert unused() >= 0
    assert occupied() > 0 or sys.platform != "linux"


def test_a_system_without_proc_has_no_figure(tmp_path):
    assert occupied(tmp_path / "statm") == 0
