"""The Prefect flow of a retraining: what a schedule runs, and under which Prefect's pages show every run."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from prefect import Flow, flow, runtime
from prefect.client.schemas.objects import FlowRun, State

from pipelines import voice
from pipelines.engine.events import Ends, Event, Outcome, in_words
from pipelines.engine.mirror import Mirror
from pipelines.order import Order, data_folder, takes_order
from pipelines.schedule.journal import Journal
from pipelines.voice import say

_CATCHES_UP_WITHIN = 10.0


def _report_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 — Prefect's signature
    """Put a line into the log of a scheduler, which runs unattended; a run by hand ends with its error anyway."""
    if flow_run.deployment_id:
        voice.prepare()
        say(f"retraining failed: {state.message}")
    if flow_run.deployment_id and state.is_crashed():  # its process could not record that itself
        journal = Journal(data_folder(flow_run.parameters.get("data_dir")))
        journal.failed(state.message or "the run crashed")
        journal.ended(str(flow_run.id))


def as_flow(body: Callable[..., Any]) -> Flow[..., Any]:
    """The flow `retrain`, with the parameters of an order, around what is done in it."""

    @takes_order(documented=True)
    def retrain(**given: Any) -> Any:
        """Train a version with a recipe, publish it, and promote it unless it is worse than the champion.

        Running it again with nothing changed (data, recipe, code) trains nothing.
        """
        return body(**given)

    return flow(name="retrain", flow_run_name=_run_name, on_failure=[_report_failure], on_crashed=[_report_failure])(
        retrain
    )


def _run_name() -> str:
    """What a run trains, for people who look for it in a list."""
    return Order(**runtime.flow_run.parameters).title


def _retrain(**given: Any) -> Any:
    from pipelines.engine.engine import Engine
    from pipelines.retrain import job  # here: who only shows a run needs no network

    voice.prepare()
    with _observer_in_this_run() as observer:
        return job.retrain(Order(**given), Engine(observer), run_id=runtime.flow_run.id)


retrain = as_flow(_retrain)
"""To be run in Prefect's own process, as its runner does."""


class _Shadow:
    """Tells Prefect in another thread of the same process."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self.events.put(event)


@contextmanager
def _observer_in_this_run() -> Iterator[_Shadow]:
    """An observer that shows stages as tasks of the flow run in which this is called, without keeping it waiting."""
    shadow = _Shadow()
    mirror = Mirror(iter(shadow.events.get, None))
    thread = threading.Thread(target=copy_context().run, args=(_follow, mirror), daemon=True)
    thread.start()
    ends = Ends(Outcome.STOPPED, "the run was stopped")  # by Prefect's runner or a signal, which is no `Exception`
    try:
        yield shadow
        ends = Ends(Outcome.DONE, "done")
    except Exception as error:
        ends = Ends(Outcome.FAILED, in_words(error))
        raise
    finally:
        shadow.tell(ends)
        shadow.events.put(None)
        thread.join(_CATCHES_UP_WITHIN)


def _follow(mirror: Mirror) -> None:
    """Repeat all events. What Prefect cannot be told is told to people, and the run goes on."""
    try:
        mirror.follow()
    except Exception as error:  # noqa: BLE001 — Prefect's own, which is not the job's
        say(f"Prefect cannot be told of the stages of this run ({in_words(error)}): the run goes on without it")
