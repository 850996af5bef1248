"""The one table: who writes it, and where."""

import os
from pathlib import Path

import pytest

from core.errors import StorageError
from pipelines.lock import locked
from pipelines.score.fragment import COLUMNS, Format
from pipelines.score.table import check_place, lock_beside, write_table

HEADER = ",".join(COLUMNS) + "\n"


def _write(table: str) -> None:
    check_place(Path(table))
    write_table(Path(table), Format.CSV, iter(()), {})


def test_a_linked_table_is_written_where_the_link_leads_and_the_link_stays(here):
    Path("real").mkdir()
    Path("real/table.csv").write_text("old")
    Path("link.csv").symlink_to("real/table.csv")
    Path("new.csv").symlink_to("made/new.csv")
    _write("link.csv")
    _write("new.csv")
    assert Path("link.csv").is_symlink()
    assert Path("real/table.csv").read_text() == Path("made/new.csv").read_text() == HEADER


def test_nobody_writes_a_table_that_another_one_writes_by_any_of_its_paths(here):
    Path("table.csv").write_text("old")
    Path("link.csv").symlink_to("table.csv")
    live = Path(f".table.csv.{'0' * 16}.tmp")
    live.touch()
    with locked(lock_beside(Path("table.csv")), print, print):
        for given in ("table.csv", "./table.csv", "link.csv"):
            with pytest.raises(StorageError, match=f"process {os.getpid()} on .* writes this table"):
                _write(given)
        assert live.exists()
        assert Path("table.csv").read_text() == "old"


def test_what_a_killed_run_left_of_this_table_is_removed_and_of_others_is_not(here):
    dead, others = Path(f".table.csv.{'0' * 16}.tmp"), Path(f".table.csv.csv.{'0' * 16}.tmp")
    dead.touch()
    others.touch()
    _write("table.csv")
    assert not dead.exists()
    assert others.exists()
    assert {path.name for path in here.iterdir()} == {"table.csv", others.name}
