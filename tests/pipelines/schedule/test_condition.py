"""The condition of the pipelines: a pure decision, as a table."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from core.artifact.holder import Holder
from pipelines.schedule.condition import judge
from pipelines.schedule.heartbeat import Heartbeat
from pipelines.schedule.journal import Failure, Record, Success

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ELSEWHERE = Holder(host="far", pid=1, machine="another")


def record(success_hours: float | None = None, failure_hours: float | None = None, began_hours: float = 1000) -> Record:
    """What has happened, so many hours ago."""
    success = success_hours is not None and Success(
        at=NOW - success_hours * HOUR, outcome="unchanged", version=3, promoted=True, recipe="mlp"
    )
    failure = failure_hours is not None and Failure(at=NOW - failure_hours * HOUR, error="no mirror answers")
    began = NOW - began_hours * HOUR
    return Record(began=began, last_start=began, last_success=success or None, last_failure=failure or None)


def beat(
    gap_hours: float | None = 24,
    age: timedelta = timedelta(0),
    scheduler: Holder = ELSEWHERE,
    since_hours: float = 1000,
) -> Heartbeat:
    return Heartbeat(
        at=NOW - age,
        every=10,
        scheduler=scheduler,
        since=NOW - since_hours * HOUR,
        when="at '0 3 * * *' (UTC)",
        next_run=NOW + HOUR,
        longest_gap=gap_hours and gap_hours * 3600,
        lease=None,
    )


@pytest.mark.parametrize(
    ("found", "scheduler"),
    [
        (record(47), beat()),
        (record(47, 1), beat()),  # one night that failed is no alarm
        (record(100), beat(gap_hours=72)),  # a weekend
        (record(5), beat(gap_hours=1 / 60)),  # every minute, with a long training
        (record(900), beat(gap_hours=None)),  # only reasons start a run
        (record(47), None),  # somebody else starts the runs
        (record(None, began_hours=40), beat(since_hours=30)),
        (None, beat(since_hours=40)),
        (record(-30), beat(age=-HOUR)),  # the clock was set back
    ],
)
def test_the_pipelines_are_healthy(found: Record | None, scheduler: Heartbeat | None) -> None:
    assert judge(found, scheduler, NOW).troubles == ()


@pytest.mark.parametrize(
    ("found", "scheduler", "trouble"),
    [
        (None, None, "nothing has run with this data folder yet"),
        (record(49), beat(), "no run has ended well for 2d1h, longer than 2d"),
        (record(49, 1), beat(), "longer than 2d; the last run failed: no mirror answers"),
        (record(7), beat(gap_hours=1), "for 7h, longer than 6h"),
        (record(None, 1, began_hours=49), beat(since_hours=1), "no run has ended well for 2d1h, longer than 2d"),
        (record(49), None, "longer than 2d"),
        (record(1), beat(age=timedelta(minutes=3)), "has not heard from Prefect's server for 3 minutes"),
        (
            record(1),
            beat(scheduler=Holder.of_this_process().model_copy(update={"pid": 2**22 + 1})),
            "the scheduler, process 4194305 on .*, has ended",
        ),
    ],
)
def test_the_pipelines_are_unhealthy_for_a_reason(
    found: Record | None, scheduler: Heartbeat | None, trouble: str
) -> None:
    condition = judge(found, scheduler, NOW)
    assert not condition.healthy
    [found_trouble] = condition.troubles
    assert re.search(trouble, found_trouble)


def test_a_limit_that_is_given_takes_precedence() -> None:
    assert not judge(record(3), beat(), NOW, max_age=2 * HOUR).healthy
    assert judge(record(300), beat(), NOW, max_age=400 * HOUR).healthy


def test_the_facts_name_everything_that_is_known() -> None:
    facts = judge(record(2, 30), beat(), NOW).facts
    assert facts["healthy"] is True
    assert facts["last_success"]["version"] == 3
    assert facts["last_success_age_seconds"] == 2 * 3600
    assert facts["max_age_seconds"] == 48 * 3600
    assert facts["last_failure"]["error"] == "no mirror answers"
    assert facts["next_run"] == "2027-03-01T13:00:00Z"
    assert facts["scheduler"]["when"] == "at '0 3 * * *' (UTC)"
    assert (facts["lease"], facts["last_promotion"], facts["rejections_in_a_row"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("scheduler", "trouble"),
    [
        (beat(scheduler=Holder.of_this_process()), ""),
        (None, "^no scheduler has left a sign of life yet; if one was started, it may train the first version: see"),
        (beat(), "^the scheduler of the last sign of life, process 1 on far, is not here; one here has yet to begin:"),
        (beat(age=HOUR), "^the scheduler, process 1 on far, has not heard from Prefect's server for 60 minutes$"),
    ],
)
def test_where_a_scheduler_must_work_it_is_a_trouble_that_none_does(scheduler: Heartbeat | None, trouble: str) -> None:
    found = judge(record(1), scheduler, NOW, scheduled_here=True).troubles
    assert len(found) == bool(trouble)
    assert re.search(trouble, "".join(found))
