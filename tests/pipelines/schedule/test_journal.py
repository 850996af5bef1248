import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from core.errors import ConfigError
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
    with pytest.raises(ConfigError, match=r"cache/journal.json: cannot be written: File exists; choose a --data-dir"):
        Journal(tmp_path / "cache").started("one")
