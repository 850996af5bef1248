"""Runs whose process has ended without a word, on a real Prefect server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Pending, Running

from core.artifact.holder import Holder
from core.artifact.lease import RENEWALS, SECONDS, Lease
from core.artifact.objects import Objects
from pipelines.schedule import abandoned as abandoned_module
from pipelines.schedule.abandoned import Abandoned
from pipelines.schedule.journal import Journal
from tests.pipelines.schedule.prefect_runs import Runs, do
from tests.prefect_server import Prefect

EVERY = SECONDS / RENEWALS
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
        self.abandoned = Abandoned(runs.deployment, self.data_dir, self.lease(HERE), self.clock)

    def lease(self, holder: Holder) -> Lease:
        return Lease(self._objects, "mnist", holder=holder, clock=self.clock)

    def running(self, holder: Holder) -> FlowRun:
        """A run that the journal names."""
        run = self.runs.add(Running(), data_dir=str(self.data_dir))
        self.name(str(run.id), holder)
        return run

    def name(self, run: str, holder: Holder) -> None:
        self.journal._update(lambda record: record.model_copy(update={"active": {**record.active, run: holder}}))

    def sign(self, run: str, holder: Holder) -> None:
        """The process of a run elsewhere says that it lives."""
        self.journal.lives(run)
        self.name(run, holder)

    def pass_time(self, seconds: float) -> None:
        """Time passes, in which the scheduler looks as often as it does; nothing is decided before the last look."""
        for _ in range(round(seconds / EVERY)):
            self.clock.now += EVERY
            do(self.abandoned.close())

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


def test_a_run_elsewhere_is_dead_if_it_is_silent_and_nobody_has_the_lease(place: Place) -> None:
    run = place.running(ELSEWHERE)
    assert not do(place.abandoned.close(starting=True))
    place.pass_time(SECONDS - EVERY)
    assert place.state(run) == StateType.RUNNING
    place.clock.now += EVERY
    assert do(place.abandoned.close())
    assert (place.state(run), place.named()) == (StateType.CRASHED, [])


def test_a_run_elsewhere_that_has_not_taken_its_lease_yet_lives_as_long_as_it_says_so(place: Place) -> None:
    run = place.running(ELSEWHERE)
    assert not do(place.abandoned.close(starting=True))
    for _ in range(8):
        place.sign(str(run.id), ELSEWHERE)
        place.pass_time(EVERY)
        assert (place.state(run), place.named()) == (StateType.RUNNING, [str(run.id)])
    place.pass_time(SECONDS)
    assert (place.state(run), place.named()) == (StateType.CRASHED, [])


def test_a_run_elsewhere_that_waits_for_its_turn_is_not_dead_when_the_lease_becomes_free(place: Place) -> None:
    run, other = place.running(ELSEWHERE), Holder(host="farther", pid=1, machine="a third")
    grant = place.lease(other).take()
    assert grant is not None
    for _ in range(8):
        grant.renew()
        place.sign(str(run.id), ELSEWHERE)
        assert not do(place.abandoned.close(starting=True))
        place.clock.now += EVERY
    grant.release()
    assert not do(place.abandoned.close())
    assert (place.state(run), place.named()) == (StateType.RUNNING, [str(run.id)])


def test_a_run_elsewhere_lives_as_long_as_somebody_renews_the_lease(place: Place) -> None:
    run, killed = place.running(ELSEWHERE), place.running(DEAD)
    grant = place.lease(ELSEWHERE).take()
    assert grant is not None
    for _ in range(8):
        assert not do(place.abandoned.close(starting=True))
        assert (place.state(run), place.named()) == (StateType.RUNNING, [str(run.id)])
        place.clock.now += EVERY
        grant.renew()
    assert place.state(killed) == StateType.CRASHED, "it need not wait for the other"
    assert not do(place.abandoned.close())
    place.pass_time(SECONDS)
    assert (place.state(run), place.named()) == (StateType.CRASHED, [])


def test_a_run_whose_process_begins_after_its_scheduler_was_killed_is_left_to_begin(place: Place) -> None:
    run = place.runs.add(Pending(), data_dir=str(place.data_dir))
    assert not do(place.abandoned.close(starting=True))
    place.pass_time(SECONDS - EVERY)
    assert place.state(run) == StateType.PENDING, "its process may be starting"
    place.runs.set(run, Running())
    place.name(str(run.id), HERE)
    assert do(place.abandoned.close())
    place.pass_time(2 * SECONDS)
    assert (place.state(run), place.named()) == (StateType.RUNNING, [str(run.id)])


def test_a_run_that_was_pending_before_a_start_and_stays_so_is_marked(place: Place) -> None:
    run = place.runs.add(Pending(), data_dir=str(place.data_dir))
    assert not do(place.abandoned.close(starting=True))
    later = place.runs.add(Pending(), data_dir=str(place.data_dir))
    place.pass_time(SECONDS)
    assert (place.state(run), place.state(later)) == (StateType.CRASHED, StateType.PENDING), (
        "the scheduler's own is not"
    )


def test_a_run_that_another_data_folder_of_this_path_may_know_is_left_and_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(abandoned_module, "say", said.append)
    run = place.runs.add(Running(), data_dir=str(place.data_dir))
    assert not do(place.abandoned.close(starting=True))
    assert said == [], "it may be about to begin"
    place.pass_time(2 * SECONDS)
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
