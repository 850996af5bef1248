"""How Prefect's pages show a job that runs elsewhere: each stage as a task, with the states, messages and artifacts.

Nothing is cached by Prefect: the job itself asks whether anything has changed, and compares contents for that.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, cast
from uuid import UUID

from prefect import get_client, runtime, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Crashed, Failed

from pipelines.engine.events import Ends, Epoch, Event, Line, Notified, Outcome, Shown, StageBegins, StageEnds, Titled
from pipelines.notices.prefect_events import emit

_LOGGER = logging.getLogger("numeral.pipelines")
_UPDATES_EVERY = 1.0
"""Seconds: epochs may be much quicker than Prefect's server."""

_STATES: dict[Outcome, Callable[..., State[Any]]] = {
    Outcome.DONE: Completed,
    Outcome.FAILED: Failed,
    Outcome.STOPPED: Cancelled,
}


class Mirror:
    """Repeats a job's events to Prefect, within a flow run.

    Args:
        events: Of one job. If they end before the job does, it was killed.
    """

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._end: Ends | None = None
        self._again = False
        self._progress: UUID | None = None
        self._updated = 0.0

    def follow(self) -> State[Any]:
        """Repeat all events.

        Returns:
            The state in which the flow run ends.
        """
        for event in self._events:
            if isinstance(event, StageBegins):
                self._stage(event.name)
            else:
                self._repeat(event)
            if self._end:
                return _STATES[self._end.outcome](message=self._end.message)
        return self._killed()

    @property
    def has_ended(self) -> bool:
        """Whether the end of the job has been repeated."""
        return self._end is not None

    def _stage(self, name: str) -> None:
        as_task = task(
            name=name,
            task_run_name=name,
            cache_policy=NO_CACHE,
            retries=20,  # the job decides how often, and how long it waits before
            retry_condition_fn=lambda *_: self._again,
        )
        as_task(self._attempt)(return_state=True)

    def _attempt(self) -> State[Any]:
        """Follow one attempt at a stage."""
        for event in self._events:
            if isinstance(event, StageEnds):
                self._again = event.again
                return Failed(message=event.error) if event.error else Completed()
            self._repeat(event)
            if self._end:
                return Cancelled(message=self._end.message)
        return self._killed()

    def _repeat(self, event: Event) -> None:
        if isinstance(event, Ends):
            self._end = event
        elif isinstance(event, Line):
            _LOGGER.handle(_record(event))
        else:
            with suppress(Exception):  # an artifact is worth neither a run nor a wait
                self._show(event)

    def _show(self, event: Event) -> None:
        if isinstance(event, Shown):
            if isinstance(event.content, str):
                create_markdown_artifact(event.content, key=event.key, description=event.description)
            else:
                create_table_artifact(event.content, key=event.key, description=event.description)
        elif isinstance(event, Titled):
            with get_client(sync_client=True) as client:
                run = client.read_flow_run(UUID(runtime.flow_run.id))
                tags = sorted({*run.tags, *event.tags})  # an update replaces those of the schedule and of people
                client.update_flow_run(run.id, name=event.name, tags=tags)
        elif isinstance(event, Notified):
            emit(event.notice)
        elif isinstance(event, Epoch):
            if self._progress is None:
                created = create_progress_artifact(progress=0.0, key="training", description="Epochs of training.")
                self._progress = cast("UUID", created)
            if event.last or monotonic() - self._updated > _UPDATES_EVERY:
                update_progress_artifact(self._progress, progress=event.percent)
                self._updated = monotonic()

    def _killed(self) -> State[Any]:
        return Crashed(message="the run was killed: it ended without a word")


def _record(line: Line) -> logging.LogRecord:
    fields = {"msg": line.message, "created": line.at, "levelno": logging.INFO, "levelname": "INFO"}
    return logging.makeLogRecord({"name": _LOGGER.name, **fields})
