"""Every retraining leaves in the journal how it ended."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from core.errors import SourceError, StorageError
from pipelines.order import Order
from pipelines.references import FileRef
from pipelines.retrain.recorded import recorded
from pipelines.schedule.journal import Journal, Record
from tests.patience import eventually


class Result(BaseModel):
    outcome: str = "published"
    version: int = 4
    promoted: bool = True
    recipe: str = "mlp"
    metrics: dict[str, float] = {}


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(repository=str(tmp_path / "models"), data_dir=tmp_path / "cache", feedback=tmp_path / "feedback")


def record_of(order: Order) -> Record:
    found = Journal(order.data_dir).read()
    assert found is not None
    return found


def test_a_run_that_ends_well_is_recorded_with_the_feedback_that_it_saw(order: Order) -> None:
    assert order.feedback is not None
    order.feedback.mkdir()
    (order.feedback / f"{'a' * 64}.json").touch()
    with recorded(order, "run") as recording:
        assert list(record_of(order).active) == ["run"]
        (order.feedback / f"{'b' * 64}.json").touch()  # perhaps too late for it
        recording.ended(Result())
    record = record_of(order)
    assert record.last_success is not None
    assert (record.last_success.outcome, record.last_success.version) == ("published", 4)
    assert (record.last_failure, record.active) == (None, {})
    assert Journal(order.data_dir).seen() == {"a" * 64}


def test_a_run_gives_signs_of_life_from_its_start_to_its_end(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_LEASE_SECONDS", "0.04")
    with recorded(order, "run"):
        eventually(lambda: record_of(order).signs.get("run", 0) > 2, "signs of life come again and again")
    assert record_of(order).signs == {}


def test_a_run_that_was_taken_for_dead_is_active_again_with_its_next_sign(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_LEASE_SECONDS", "0.04")
    with recorded(order, "run"):
        Journal(order.data_dir).ended("run")
        eventually(lambda: record_of(order).active, "it is active")


def test_a_run_that_fails_is_recorded_with_its_sentence(order: Order) -> None:
    with pytest.raises(SourceError), recorded(order):
        raise SourceError("no mirror answers")
    record = record_of(order)
    assert record.last_failure is not None
    assert record.last_failure.error == "no mirror answers"
    assert (record.last_success, record.active) == (None, {})


def test_a_run_that_is_interrupted_has_neither_succeeded_nor_failed(order: Order) -> None:
    with pytest.raises(KeyboardInterrupt), recorded(order):
        raise KeyboardInterrupt
    record = record_of(order)
    assert (record.last_success, record.last_failure, record.active) == (None, None, {})


def test_a_dry_run_is_no_success(order: Order) -> None:
    with recorded(order):
        pass
    assert record_of(order).last_success is None


def test_a_run_whose_end_cannot_be_recorded_has_ended_well_all_the_same(order: Order) -> None:
    with recorded(order) as recording:
        recording.ended(Result())
        (order.data_dir / "journal.lock").mkdir()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Fills the disk, when it is called."""

    def store(path: Path, data: bytes) -> FileRef:
        raise StorageError(f"cannot write {path}: the disk is full, {len(data)} bytes")

    return lambda: monkeypatch.setattr(FileRef, "store", store)


def test_a_disk_that_is_full_at_the_end_fails_no_run(order: Order, full_disk: Callable[[], None]) -> None:
    with recorded(order) as recording:
        recording.ended(Result())
        full_disk()


def test_a_disk_that_is_full_leaves_a_failed_run_its_own_error(order: Order, full_disk: Callable[[], None]) -> None:
    def fail() -> None:
        full_disk()
        raise SourceError("no mirror answers")

    with pytest.raises(SourceError, match="no mirror answers"), recorded(order):
        fail()


def test_a_run_without_feedback_forgets_none_that_was_seen(order: Order) -> None:
    Journal(order.data_dir).saw(["a" * 64])
    with recorded(order.model_copy(update={"feedback": None})) as recording:
        recording.ended(Result())
    assert Journal(order.data_dir).seen() == {"a" * 64}


def test_a_data_folder_that_cannot_be_written_ends_a_run_before_it_begins(order: Order) -> None:
    order.data_dir.write_text("a file in its place")
    with pytest.raises(StorageError, match=r"journal\.lock: something else is in its place"), recorded(order):
        pytest.fail("it has begun")
