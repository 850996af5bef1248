"""Only one scheduler uses a data folder."""

import os
from pathlib import Path

import pytest

from core.errors import ConfigError, StorageError
from pipelines.schedule.sole import sole_scheduler


def silent(words: str) -> None:
    """Nobody listens."""


def test_a_second_scheduler_is_refused_and_told_which_process_the_first_one_is(tmp_path: Path) -> None:
    with (
        sole_scheduler(tmp_path, silent),
        pytest.raises(ConfigError, match=rf"another scheduler holds .*\.lock: process {os.getpid()} on .*; stop"),
        sole_scheduler(tmp_path, silent),
    ):
        pytest.fail("both have begun")


def test_a_data_folder_is_free_again_once_its_scheduler_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with sole_scheduler(tmp_path / "missing", silent):
            pass
    assert list((tmp_path / "missing").iterdir()) == []


def test_a_file_system_that_knows_no_locks_is_scheduled_on_with_a_warning(tmp_path: Path, lockless: None) -> None:
    said: list[str] = []
    with sole_scheduler(tmp_path, said.append):
        (sentence,) = said
    assert "knows no locks" in sentence


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with (
        pytest.raises(StorageError, match="data/schedule.lock: something else is in its place"),
        sole_scheduler(tmp_path / "data", silent),
    ):
        pytest.fail("it has begun")
