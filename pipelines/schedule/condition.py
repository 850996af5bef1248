"""The condition of the pipelines, from the journal and the heartbeat in a data folder: a pure decision."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipelines.schedule.duration import in_words
from pipelines.schedule.heartbeat import Heartbeat
from pipelines.schedule.journal import Record, Success

__all__ = ["Condition", "judge"]

LONGEST_AGE = timedelta(hours=48)
"""How old the last success may be if nothing says how often there should be one."""

SHORTEST_AGE = timedelta(hours=6)
"""How old it may always be, so that one long training is no alarm."""


@dataclass(frozen=True)
class Condition:
    """Whether the pipelines work.

    Attributes:
        troubles: Why they do not, one sentence each; empty if they do.
        facts: What is known, as JSON: see docs/operations.md.
    """

    troubles: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to be done."""
        return not self.troubles


def judge(
    record: Record | None,
    beat: Heartbeat | None,
    now: datetime,
    max_age: timedelta | None = None,
    *,
    scheduled_here: bool = False,
) -> Condition:
    """Judge what is recorded.

    Args:
        record: The journal; None if nothing has run yet.
        beat: The last beat of the scheduler; None if there never was one. Then somebody else starts the runs, and only
            these are judged, unless `scheduled_here`.
        now: The time.
        max_age: How old the last success may be. By default, twice as old as the longest time between two runs of the
            timetable, at least six hours; 48 hours if no scheduler ever ran; any age if it has no timetable.
        scheduled_here: Whether a scheduler must live on this machine, or in this container, and have begun to work: it
            does once the first version is trained.
    """
    limit = max_age or _default(beat)
    success = record.last_success if record else None
    silence = beat.trouble(now) if beat else ""
    if scheduled_here:
        silence = silence or _absence(beat)
    troubles = [trouble for trouble in (silence, _age(record, beat, now, limit)) if trouble]
    facts = {
        "healthy": not troubles,
        "troubles": troubles,
        "last_success": _as_json(success),
        "last_success_age_seconds": round((now - success.at).total_seconds()) if success else None,
        "max_age_seconds": round(limit.total_seconds()) if limit else None,
        "last_promotion": _as_json(record.last_promotion if record else None),
        "last_failure": record.last_failure.model_dump(mode="json") if record and record.last_failure else None,
        "rejections_in_a_row": record.rejections if record else 0,
        "scheduler": _described(beat) if beat else None,
        "next_run": beat.model_dump(mode="json")["next_run"] if beat else None,
        "lease": beat.lease.model_dump(mode="json") if beat and beat.lease else None,
    }
    return Condition(tuple(troubles), facts)


def _described(beat: Heartbeat) -> dict[str, Any]:
    return {"process": str(beat.scheduler), **beat.model_dump(mode="json", include={"at", "since", "when"})}


def _absence(beat: Heartbeat | None) -> str:
    """Why no scheduler works here; "" if one does."""
    if beat is None:
        return (
            "no scheduler has left a sign of life yet; if one was started, it may train the first version: see its log"
        )
    if beat.scheduler.lives_here():
        return ""
    return (
        f"the scheduler of the last sign of life, {beat.scheduler}, is not here; one here has yet to begin: see its log"
    )


def _default(beat: Heartbeat | None) -> timedelta | None:
    if beat is None:
        return LONGEST_AGE
    return None if beat.longest_gap is None else max(2 * timedelta(seconds=beat.longest_gap), SHORTEST_AGE)


def _age(record: Record | None, beat: Heartbeat | None, now: datetime, limit: timedelta | None) -> str:
    """What is wrong with the age of the last success; "" if nothing is."""
    if record is None and beat is None:
        return "nothing has run with this data folder yet"
    if limit is None:
        return ""
    begun = min(at for at in (record and record.began, beat and beat.since) if at)
    since = record.last_success.at if record and record.last_success else begun
    if now - since <= limit:
        return ""
    failure = record.last_failure if record else None
    why = f"; the last run failed: {failure.error}" if failure and failure.at >= since else ""
    return f"no run has ended well for {_in_minutes(now - since)}, longer than {in_words(limit)}{why}"


def _in_minutes(span: timedelta) -> str:
    return in_words(timedelta(minutes=span // timedelta(minutes=1)))


def _as_json(success: Success | None) -> dict[str, Any] | None:
    return success.model_dump(mode="json") if success else None
