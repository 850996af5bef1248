"""An engine of the kind that was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from pipelines.engine.engine import Engine
from pipelines.engine.environment import prepare
from pipelines.engine.reporting import Reporting
from pipelines.engine.stopping import Stopped, as_stop, raise_stop
from pipelines.voice import say


class Kind(StrEnum):
    """Who observes a job."""

    PREFECT = "prefect"
    PLAIN = "plain"


@contextmanager
def engine_of(kind: Kind, flow: str, parameters: dict[str, Any]) -> Iterator[Engine]:
    """An engine to run one job with, while the block lasts. If the job is stopped, people are told where.

    Args:
        kind: Whether Prefect is told of the job, or nobody.
        flow: The module whose `as_flow` makes the flow under which Prefect shows the job.
        parameters: Of the flow.

    Raises:
        ConfigError: Prefect cannot be used as its settings want it.
    """
    if kind is Kind.PLAIN:
        engine = Engine()
        with _telling_of_a_stop(engine):
            yield engine
        return
    if sentence := prepare():
        say(sentence)
    with _telling_of_a_stop(Engine()), Reporting(flow, parameters) as reporting:
        engine = Engine(reporting)
        try:
            with _telling_of_a_stop(engine):
                yield engine
        finally:
            reporting.conclusion = engine.conclusion


@contextmanager
def _telling_of_a_stop(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        stopped = as_stop(error)
        if isinstance(stopped, Stopped):
            engine.conclusion = engine.stopped
            stopped.tell(engine.conclusion)
        raise_stop(error)
        raise
