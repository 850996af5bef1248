"""The times of a timetable, as Prefect works them out: it starts the runs, so nothing else may say when they are.

On the night on which clocks go forward, a cron time that they skip comes by the clock as it was before: 02:30 becomes
01:30. On the night on which they go back, a time that comes twice is taken the first time. So one run a day stays one a
day. A cron expression for several runs an hour pauses during the hour that is repeated; an interval does not.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim
from prefect.schedules import Schedule
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule

from pipelines.schedule.timetable import Timetable

__all__ = ["longest_gap", "schedules", "upcoming"]

_ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)
"""Intervals are counted from here, so that a restart does not shift them: 6h is at 0, 6, 12 and 18 o'clock UTC."""

_LOOKED_AHEAD = timedelta(weeks=5)
_LOOKED_AT = 100
"""How far the longest gap is looked for: over nights, weekends and a month, however many runs these have; and at least
over so many runs."""


def schedules(timetable: Timetable) -> list[Schedule]:
    """The timetable for a deployment: one schedule, or none if there are no fixed times.

    It has no slug, so that Prefect replaces whatever schedules the deployment had.
    """
    if timetable.interval is not None:
        return [Schedule(interval=timetable.interval, anchor_date=_ANCHOR, timezone="UTC")]
    return [Schedule(cron=timetable.cron, timezone=timetable.zone)] if timetable.cron else []


async def upcoming(timetable: Timetable, count: int, after: datetime) -> list[datetime]:
    """The next times, in the timetable's zone; none if there are no fixed times."""
    if not timetable:
        return []
    # Prefect may begin with a time that is over, on the night on which clocks go forward.
    found = await _expansion(timetable).get_dates(n=count + 1, start=after)
    zone = ZoneInfo(timetable.zone)
    return [datetime.fromtimestamp(time.timestamp(), zone) for time in found if time > after][:count]


def longest_gap(timetable: Timetable, after: datetime) -> timedelta | None:
    """The longest time between two of the next runs, such as a weekend; None if there are no fixed times.

    Prefect would need seconds for so many times, and that it reads the nights on which clocks change differently
    matters by an hour.
    """
    if not timetable.cron:
        return timetable.interval
    end = after + _LOOKED_AHEAD
    following = CronSim(timetable.cron, after.astimezone(ZoneInfo(timetable.zone)))
    times = [*islice(following, _LOOKED_AT), *takewhile(lambda time: time <= end, following)]
    return max(later - earlier for earlier, later in pairwise(time.astimezone(UTC) for time in times))


def _expansion(timetable: Timetable) -> CronSchedule | IntervalSchedule:
    """What Prefect's server makes of the schedule."""
    if timetable.interval is not None:
        return IntervalSchedule(interval=timetable.interval, anchor_date=_ANCHOR, timezone="UTC")
    return CronSchedule(cron=timetable.cron, timezone=timetable.zone)
