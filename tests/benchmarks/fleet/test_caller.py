"""The client of a replica: a call that fails is lost, as it is never repeated."""

from benchmarks.fleet.caller import Caller
from benchmarks.sides import free_port
from core.artifact.repository import Repository
from tests.patience import eventually
from tests.service.harness import running
from tests.service.tiny_model import publish


def test_each_call_that_nobody_answers_is_counted_as_lost():
    caller = Caller(free_port(), "replica 1 of 1")
    caller.start()
    eventually(lambda: caller.lost)
    caller.stop()
    assert all(outcome.startswith("UNAVAILABLE: ") for outcome in caller.lost)
    assert caller.answered == 0


def test_answers_are_counted_with_the_versions_that_gave_them(tmp_path):
    repository = Repository(str(tmp_path / "models"), writable=True)
    publish(repository, seed=1)
    with running(tmp_path / "models") as server:
        caller = Caller(int(server.address.rpartition(":")[2]), "replica 1 of 1")
        caller.start()
        try:
            caller.seen.wait(1, 60)
            publish(repository, seed=2)
            caller.seen.wait(2, 60)
        finally:
            caller.stop()
    assert caller.answered >= 2
    assert not caller.lost
    assert caller.seen.backwards == 0
