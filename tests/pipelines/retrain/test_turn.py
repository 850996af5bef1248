"""A retraining waits for its turn, keeps it while it works, and gives it up."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifact.lease import Lease
from core.artifact.objects import Objects
from core.errors import LeaseHeldError, LeaseLostError
from pipelines.retrain.turn import turn
from tests.patience import eventually


@pytest.fixture
def lease(tmp_path: Path) -> Callable[..., Lease]:
    objects = Objects(str(tmp_path / "models"), writable=True)
    return lambda seconds=60.0: Lease(objects, "mnist", seconds=seconds)


def test_who_does_not_wait_is_told_who_has_the_turn(lease: Callable[..., Lease]) -> None:
    with (
        turn(lease(), 0, print),
        pytest.raises(LeaseHeldError, match=r"another run holds the lease of file:.*: process \d+ on .* since .* UTC"),
        turn(lease(), 0, print),
    ):
        pass


def test_who_waits_says_so_once_and_goes_on_when_the_turn_ends(lease: Callable[..., Lease]) -> None:
    said: list[str] = []
    done = threading.Event()

    def wait() -> None:
        with turn(lease(seconds=1), 300, said.append):
            done.set()

    waiting = threading.Thread(target=wait)
    with turn(lease(), 0, print) as first:
        waiting.start()
        eventually(lambda: said)
        first.check()
        assert not done.is_set()
    waiting.join(300)
    assert done.is_set()
    assert [line.partition(":")[0] for line in said] == ["another run holds the lease of file", "the lease is free"]


def test_a_turn_outlasts_its_lease_because_it_is_renewed(lease: Callable[..., Lease]) -> None:
    with turn(lease(seconds=0.2), 0, print) as mine:
        first = lease().holder()
        assert first is not None
        eventually(lambda: (entry := lease().holder()) and (entry.at - first.at).total_seconds() > 0.6)
        mine.check()
    assert lease().holder() is None


def test_a_turn_that_was_taken_over_is_noticed_and_ends_nobody_elses(
    lease: Callable[..., Lease], tmp_path: Path
) -> None:
    said: list[str] = []
    with turn(lease(seconds=0.4), 0, said.append) as mine:
        for entry in (tmp_path / "models" / "mnist" / "lease").iterdir():
            entry.unlink()
        other = lease().take()
        assert other is not None
        for _ in range(3):  # past any number that the first may yet create
            other.renew()
        eventually(lambda: said)
        with pytest.raises(LeaseLostError, match="was lost"):
            mine.check()
    other.check()
    assert "changes nothing any more" in said[0]
