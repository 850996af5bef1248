"""Runs whose process has ended without a word, on a real Prefect server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Pending, Running

from core.artifact.holder import Holder
from core.artifact.lease import Lease
from core.artifact.objects import Objects
from pipelines.schedule import abandoned as abandoned_module
from pipelines.schedule.abandoned import Abandoned
from pipelines.schedule.journal import Journal
from tests.pipelines.schedule.prefect_runs import Runs, do
from tests.prefect_server import Prefect

HERE = Holder.of_this_process()
DEAD = HERE.model_copy(update={"pid": 2**22 + 1})
ELSEWHERE = Holder(host="far", pid=1, machine="another")
"""On another machine, or in a container that was here before."""


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Place:
    """A data folder and a repository, with the runs of a scheduler that was here before."""

    def __init__(self, runs: Runs, folder: Path) -> None:
        self.runs = runs
        self.data_dir = folder / "cache"
        self.journal = Journal(self.data_dir)
        self.clock = Clock()
        self._objects = Objects(str(folder / "models"), writable=True)
        self.abandoned = Abandoned(runs.deployment, self.data_dir, self.lease(HERE))

    def lease(self, holder: Holder) -> Lease:
        return Lease(self._objects, "mnist", holder=holder, clock=self.clock)

    def running(self, holder: Holder) -> FlowRun:
        """A run that the journal names."""
        run = self.runs.add(Running(), data_dir=str(self.data_dir))
        self.name(str(run.id), holder)
        return run

    def name(self, run: str, holder: Holder) -> None:
        self.journal._update(lambda record: record.model_copy(update={"active": {**record.active, run: holder}}))

    def named(self) -> list[str]:
        record = self.journal.read()
        assert record is not None
        return list(record.active)

    def state(self, run: FlowRun) -> StateType:
        [found] = [one for one in self.runs.all() if one.id == run.id]
        assert found.state_type is not None
        return found.state_type


@pytest.fixture
def place(prefect: Prefect, tmp_path: Path) -> Iterator[Place]:
    with Runs.at(prefect.url) as runs:
        yield Place(runs, tmp_path)


def test_a_run_whose_process_has_ended_is_marked_and_one_that_lives_is_not(place: Place) -> None:
    killed, alive = place.running(DEAD), place.running(HERE)
    assert do(place.abandoned.close(starting=True))
    assert place.state(killed) == StateType.CRASHED
    assert place.state(alive) == StateType.RUNNING
    assert place.named() == [str(alive.id)]


def test_a_run_elsewhere_is_dead_if_nobody_has_the_lease(place: Place) -> None:
    run = place.running(ELSEWHERE)
    assert do(place.abandoned.close(starting=True))
    assert (place.state(run), place.named()) == (StateType.CRASHED, [])


def test_a_run_elsewhere_lives_as_long_as_somebody_renews_the_lease(place: Place) -> None:
    run, killed = place.running(ELSEWHERE), place.running(DEAD)
    grant = place.lease(ELSEWHERE).take()
    assert grant is not None
    for _ in range(3):
        assert not do(place.abandoned.close(starting=True))
        assert (place.state(run), place.named()) == (StateType.RUNNING, [str(run.id)])
        place.clock.now += 100
        grant.renew()
    assert place.state(killed) == StateType.CRASHED, "it need not wait for the other"
    assert not do(place.abandoned.close())
    place.clock.now += 120
    assert do(place.abandoned.close())
    assert (place.state(run), place.named()) == (StateType.CRASHED, [])


def test_a_run_that_was_pending_when_its_scheduler_ended_is_marked_at_a_start(place: Place) -> None:
    run = place.runs.add(Pending(), data_dir=str(place.data_dir))
    assert do(place.abandoned.close())
    assert place.state(run) == StateType.PENDING, "it may be about to begin"
    assert do(place.abandoned.close(starting=True))
    assert place.state(run) == StateType.CRASHED


def test_a_run_that_another_data_folder_of_this_path_may_know_is_left_and_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(abandoned_module, "say", said.append)
    run = place.runs.add(Running(), data_dir=str(place.data_dir))
    assert do(place.abandoned.close(starting=True))
    assert place.state(run) == StateType.RUNNING
    [sentence] = said
    assert sentence.startswith(
        f"schedule: run {run.name} is shown as running, and the journal in {place.data_dir} does"
    )


def test_a_run_of_another_data_folder_is_none_of_ours(place: Place) -> None:
    run = place.runs.add(Pending(), data_dir=str(place.data_dir.with_name("other")))
    assert do(place.abandoned.close(starting=True))
    assert place.state(run) == StateType.PENDING


def test_a_run_by_hand_that_was_killed_is_struck_from_the_journal(place: Place) -> None:
    place.name("by hand", DEAD)
    place.name("by hand too", HERE)
    assert do(place.abandoned.close(starting=True))
    assert place.named() == ["by hand too"]
