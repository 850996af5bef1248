"""Runs for a reason other than the time, on a real Prefect server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Crashed

from pipelines.schedule import starter as starter_module
from pipelines.schedule.starter import TRIGGERED, Starter
from pipelines.schedule.triggers import Reason
from tests.pipelines.schedule.prefect_runs import Runs, do
from tests.prefect_server import Prefect

PAUSE = timedelta(hours=1)
REASON = Reason("pieces of new feedback: 5, at least 5 were asked for", "triggered after None")


@pytest.fixture
def runs(prefect: Prefect) -> Iterator[Runs]:
    with Runs.at(prefect.url) as runs:
        yield runs


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(starter_module, "say", said.append)
    return said


def now() -> datetime:
    return datetime.now(UTC)


def test_a_reason_that_holds_starts_one_run_and_is_told_once(runs: Runs, said: list[str]) -> None:
    starter = Starter(runs.deployment, PAUSE)
    for later in range(3):
        do(starter.start(REASON, now() + later * PAUSE))
    [run] = runs.all()
    assert run.tags == [TRIGGERED]
    assert said == [f"schedule: retraining: {REASON.sentence}"]
    do(Starter(runs.deployment, PAUSE).start(REASON, now()))
    assert len(runs.all()) == 1, "also after a restart"


@pytest.mark.parametrize("end", [Crashed(), Cancelled(), Completed()])
def test_a_run_that_is_over_while_its_reason_holds_is_followed_by_another(
    runs: Runs, said: list[str], end: State[Any]
) -> None:
    starter = Starter(runs.deployment, PAUSE)
    for started in range(1, 4):
        do(starter.start(REASON, now() + PAUSE))
        assert len(runs.all()) == len(said) == started
        runs.set(runs.all()[-1], end)
    do(Starter(runs.deployment, PAUSE).start(REASON, now() + PAUSE))
    assert len(runs.all()) == 4, "also after a restart"


def test_a_run_that_is_over_at_once_is_followed_after_the_pause(runs: Runs, said: list[str]) -> None:
    starter = Starter(runs.deployment, PAUSE)
    do(starter.start(REASON, now()))
    runs.set(runs.all()[0], Crashed())
    do(starter.start(REASON, now()))
    assert len(runs.all()) == len(said) == 1
    do(starter.start(REASON, now() + PAUSE))
    assert len(runs.all()) == len(said) == 2


def test_another_reason_starts_another_run(runs: Runs, said: list[str]) -> None:
    starter = Starter(runs.deployment, PAUSE)
    do(starter.start(REASON, now()))
    runs.set(runs.all()[0], Completed())
    do(starter.start(REASON._replace(key="triggered after that one"), now()))
    assert len(runs.all()) == len(said) == 2
