import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from core.errors import ConfigError, StorageError
from pipelines.schedule.journal import Journal, Success

ROOT = Path(__file__).parents[3]


def success(
    version: int, outcome: Literal["published", "unchanged", "rejected"] = "published", promoted: bool = True
) -> Success:
    return Success(at=datetime.now(UTC), outcome=outcome, version=version, promoted=promoted, recipe="mlp")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "cache")


def test_before_the_first_run_there_is_nothing_to_read(journal: Journal) -> None:
    assert journal.read() is None
    assert journal.seen() == frozenset()


def test_killed_runs_by_hand_are_forgotten_and_those_of_a_scheduler_are_kept(journal: Journal) -> None:
    script = (
        "import sys; from pathlib import Path; from pipelines.schedule.journal import Journal; "
        "[Journal(Path(sys.argv[1])).started(key) for key in sys.argv[2:]]"
    )
    of_prefect = "11111111-2222-3333-4444-555555555555"
    subprocess.run([sys.executable, "-c", script, str(journal.path.parent), "0" * 32, of_prefect], cwd=ROOT, check=True)
    journal.started("mine")
    record = journal.read()
    assert record is not None
    assert record.active.keys() == {of_prefect, "mine"}


def test_a_run_is_active_from_its_start_to_its_end(journal: Journal) -> None:
    journal.started("one")
    journal.started("two")
    record = journal.read()
    assert record is not None
    assert {name: holder.pid for name, holder in record.active.items()} == {"one": os.getpid(), "two": os.getpid()}
    assert record.began <= record.last_start
    journal.ended("one")
    record = journal.read()
    assert record is not None
    assert list(record.active) == ["two"]


def test_the_last_success_promotion_and_failure_are_kept_apart(journal: Journal) -> None:
    journal.succeeded(success(1))
    journal.failed("no mirror answers")
    journal.succeeded(success(1, "unchanged"))
    record = journal.read()
    assert record is not None
    assert record.last_success is not None
    assert record.last_success.outcome == "unchanged"
    assert record.last_promotion is not None
    assert record.last_promotion.outcome == "published"
    assert record.last_failure is not None
    assert record.last_failure.error == "no mirror answers"


def test_rejections_are_counted_until_a_version_is_promoted(journal: Journal) -> None:
    counted = []
    for outcome in ("rejected", "rejected", "unchanged", "rejected", "published"):
        journal.succeeded(success(2, outcome, promoted=outcome == "published"))
        record = journal.read()
        assert record is not None
        counted.append(record.rejections)
    assert counted == [1, 2, 2, 3, 0]


def test_feedback_that_was_seen_is_known_by_its_names(journal: Journal) -> None:
    names = ["a" * 64, "b" * 64]
    journal.saw(names)
    assert journal.seen() == set(names)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_damaged_journal_is_begun_anew(journal: Journal, damage: bytes) -> None:
    journal.failed("once")
    journal.path.write_bytes(damage)
    assert journal.read() is None
    journal.succeeded(success(3))
    record = journal.read()
    assert record is not None
    assert record.last_failure is None


def test_processes_that_write_at_once_lose_nothing(journal: Journal) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom pipelines.schedule.journal import Journal\n"
        "for number in range(10):\n    Journal(Path(sys.argv[1])).started(f'{sys.argv[2]}-{number}')\n"
    )
    command = [sys.executable, "-c", program, str(journal.path.parent)]
    processes = [subprocess.Popen([*command, name], cwd=ROOT) for name in "ab"]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    record = journal.read()
    assert record is not None
    assert len(record.active) == 20


def test_a_data_folder_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in its place")
    with pytest.raises(StorageError, match=r"cannot write .*/cache/journal\.lock: something else is in its place"):
        Journal(tmp_path / "cache").started("one")


def test_a_file_system_that_knows_no_locks_has_a_journal_as_well(journal: Journal, lockless: None) -> None:
    journal.started("one")
    journal.ended("one")
    record = journal.read()
    assert record is not None
    assert record.active == {}


def test_a_written_journal_leaves_no_lock_behind(journal: Journal) -> None:
    journal.started("one")
    assert list(journal.path.parent.iterdir()) == [journal.path]


def test_a_record_of_feedback_that_cannot_be_read_is_named_in_one_sentence(journal: Journal) -> None:
    (journal.path.parent / "feedback-seen").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"cache/feedback-seen: cannot be read: Is a directory; which user runs the"):
        journal.seen()


def test_a_promotion_without_a_run_is_recorded_beside_what_the_last_run_came_to(journal: Journal) -> None:
    journal.succeeded(success(3, "rejected", promoted=False))
    journal.promoted(success(2))
    record = journal.read()
    assert record is not None
    assert record.last_promotion is not None
    assert record.last_success is not None
    assert (record.last_promotion.version, record.last_success.version, record.rejections) == (2, 3, 1)
