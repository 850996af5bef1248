"""The times at which Prefect starts runs, also on the two nights on which clocks change."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipelines.schedule.times import longest_gap, upcoming
from pipelines.schedule.timetable import Timetable

BERLIN = ZoneInfo("Europe/Berlin")
FORWARD = datetime(2027, 3, 28, tzinfo=BERLIN)
"""The night on which 02:00 becomes 03:00."""
BACK = datetime(2027, 10, 31, tzinfo=BERLIN)
"""The night on which 03:00 becomes 02:00."""
MONDAY = datetime(2027, 1, 4, tzinfo=UTC)


def times(timetable: Timetable, after: datetime, count: int) -> list[datetime]:
    return asyncio.run(upcoming(timetable, count, after))


@pytest.mark.parametrize("hour", ["0 1", "30 1", "0 2", "30 2", "59 2", "0 3", "30 3"])
@pytest.mark.parametrize("change", [FORWARD, BACK])
def test_a_run_a_day_is_one_a_day_when_clocks_change(hour: str, change: datetime) -> None:
    begin = change - timedelta(days=3)
    found = times(Timetable(cron=f"{hour} * * *", zone="Europe/Berlin"), begin, 7)
    days = Counter(time.astimezone(BERLIN).date() for time in found)
    assert days == Counter({(begin + timedelta(days=day)).date(): 1 for day in range(7)})


def test_a_time_that_the_clocks_skip_comes_by_the_clock_before() -> None:
    [found] = times(Timetable(cron="30 2 * * *", zone="Europe/Berlin"), FORWARD, 1)
    assert found.isoformat() == "2027-03-28T01:30:00+01:00"


def test_a_time_that_comes_twice_is_taken_the_first_time() -> None:
    first, second = times(Timetable(cron="30 2 * * *", zone="Europe/Berlin"), BACK, 2)
    assert first.isoformat() == "2027-10-31T02:30:00+02:00"
    assert second.isoformat() == "2027-11-01T02:30:00+01:00"


@pytest.mark.parametrize("change", [FORWARD, BACK])
def test_no_time_is_repeated_however_often_it_is_asked_during_the_change(change: datetime) -> None:
    found = set()
    for minute in range(0, 6 * 60, 7):
        now = change.astimezone(UTC) + timedelta(minutes=minute)
        [following] = times(Timetable(cron="30 2 * * *", zone="Europe/Berlin"), now, 1)
        assert following > now
        found.add(following.astimezone(UTC))
    assert len(found) == 2, "that of the night itself, and that of the next"


def test_an_interval_is_real_hours_counted_from_midnight_utc() -> None:
    found = times(Timetable(interval=timedelta(hours=6), zone="Europe/Berlin"), FORWARD, 3)
    assert [time.astimezone(UTC).strftime("%d %H:%M") for time in found] == ["28 00:00", "28 06:00", "28 12:00"]
    assert found[0].tzinfo == BERLIN


def test_the_longest_gap_of_working_days_is_the_weekend() -> None:
    assert longest_gap(Timetable(cron="0 3 * * MON-FRI"), MONDAY) == timedelta(days=3)
    assert longest_gap(Timetable(cron="0 0 * * *"), MONDAY) == timedelta(days=1)


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_the_longest_gap_of_working_hours_is_the_weekend_of_however_many_runs(minutes: int) -> None:
    friday_to_monday = timedelta(days=2, hours=13, minutes=minutes)
    assert longest_gap(Timetable(cron=f"*/{minutes} 8-18 * * MON-FRI"), MONDAY) == friday_to_monday


@pytest.mark.parametrize(("cron", "days"), [("0 0 1 * *", 31), ("0 0 1 1,10 *", 274), ("0 0 29 2 *", 8 * 365 + 1)])
def test_the_longest_gap_of_rare_runs_is_found_among_many_of_them(cron: str, days: int) -> None:
    assert longest_gap(Timetable(cron=cron), MONDAY) == timedelta(days=days)


def test_the_longest_gap_of_an_interval_is_the_interval() -> None:
    assert longest_gap(Timetable(interval=timedelta(days=40)), MONDAY) == timedelta(days=40)


def test_without_fixed_times_there_is_neither_a_time_nor_a_gap() -> None:
    assert times(Timetable(), datetime.now(UTC), 3) == []
    assert longest_gap(Timetable(), datetime.now(UTC)) is None
