"""The job: what fails before its first stage is recorded and told as well, and it publishes in its own turn alone."""

import base64
from pathlib import Path

import pytest

from core.errors import ConfigError, LeaseLostError, NumeralError, RepositoryError
from pipelines.engine import engine as engine_module
from pipelines.engine.engine import Engine
from pipelines.engine.events import Event, Notified
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import job
from pipelines.retrain.turn import Turn
from pipelines.schedule.journal import Journal
from tests.pipelines.notices.receiver import Receiver
from tests.pipelines.runs import run_in

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Notes(list[Event]):
    tell = list.append


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "cache")


def last_failure(order: Order) -> str:
    record = Journal(order.data_dir).read()
    assert record is not None
    assert record.last_failure is not None
    return record.last_failure.error


def test_a_share_that_is_not_mounted_one_night_is_recorded_and_told(
    order: Order, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Receiver(SECRET) as receiver:
        monkeypatch.setenv("NUMERAL_WEBHOOK_URL", receiver.url)
        monkeypatch.setenv("NUMERAL_WEBHOOK_SECRET", SECRET)
        with pytest.raises(ConfigError, match="no such folder"):
            job.retrain(order.model_copy(update={"handwriting": tmp_path / "share"}), Engine())
    assert last_failure(order).startswith(f"--handwriting {tmp_path}/share: no such folder")
    assert [found["type"] for found in receiver.received] == ["numeral.model.failed"]


def test_a_webhook_that_cannot_be_used_is_recorded_and_told_to_the_others(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_WEBHOOK_URL", "https://example.org")
    notes = Notes()
    with pytest.raises(ConfigError, match="without a secret"):
        job.retrain(order, Engine(notes))
    assert last_failure(order).startswith("NUMERAL_WEBHOOK_URL is set without a secret")
    [told] = [event.notice.event for event in notes if isinstance(event, Notified)]
    assert told == "numeral.model.failed"


class Lost(Turn):
    """A turn whose check fails so often, and then does not."""

    def __init__(self, error: NumeralError, times: int) -> None:
        self.left = [error] * times

    def check(self) -> None:
        if self.left:
            raise self.left.pop()


def test_a_run_that_has_lost_its_turn_publishes_nothing(
    order: Order, dataset: DatasetRef, recipe: Recipe, work: Path
) -> None:
    mine = Lost(LeaseLostError("another run has it"), times=9)
    with pytest.raises(LeaseLostError):
        job._new(order, run_in(work, dataset, recipe), Engine(), mine, dry_run=False)
    assert order.store.versions() == []
    assert len(mine.left) == 8, "what is lost is not asked for again"


def test_a_store_that_fails_for_a_while_when_the_turn_is_checked_costs_no_training(
    order: Order, dataset: DatasetRef, recipe: Recipe, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_PAUSES", (0.0, 0.0))
    mine = Lost(RepositoryError("no answer"), times=2)
    result = job._new(order, run_in(work, dataset, recipe), Engine(), mine, dry_run=False)
    assert (result.version, result.promoted) == (1, True)
