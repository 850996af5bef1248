"""Rows in each format, and what they are counted as."""

import csv
import io
import json
from pathlib import Path

import pytest

from core.errors import ConfigError, StorageError
from pipelines.score.fragment import COLUMNS, Format, Fragment, Row, Tally
from pipelines.score.table import check_place, write_table

ROWS = [
    Row("a, b", 'x"1.png', 7, 0.999871, 0.5, None, 3),
    Row("ä", "2", None, None, None, "unreadable: no\npicture", 3),
    Row("ä", "3", None, None, 0.01, "shows no digit", 3),
]


def _kept(folder: Path, kind: Format) -> list[Path]:
    """The rows as two parts."""
    paths = []
    for number, rows in enumerate((ROWS[:1], ROWS[1:])):
        paths.append(folder / f"{number}.part")
        paths[-1].write_bytes(Fragment(Tally.of(rows, unreadable=number), kind.encode(rows)).encode())
    return paths


def _read(path: Path) -> list[dict]:
    if path.suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))
        numbers = {"digit": int, "probability": float, "digitness": float, "version": int}
        return [{name: numbers.get(name, str)(value) if value else None for name, value in row.items()} for row in rows]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(path).to_pylist()


@pytest.mark.parametrize("kind", Format)
def test_every_format_keeps_text_numbers_and_what_is_missing(tmp_path, kind):
    table = tmp_path / f"table.{kind.value}"
    tally = write_table(table, kind, iter(_kept(tmp_path, kind)), {"version": "3"})
    found = _read(table)
    assert [tuple(row) for row in found] == [COLUMNS] * 3
    for row, expected in zip(found, ROWS, strict=True):
        for name, value in expected._asdict().items():
            assert row[name] == value or abs(row[name] - value) < 1e-7, name  # float32 in Parquet
    assert (tally.read, tally.rejected, tally.unreadable, tally.items) == (1, 1, 1, 3)
    assert tally.by_digit == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


def test_a_parquet_table_says_which_weights_read_and_gathers_parts(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = tmp_path / "table.parquet"
    write_table(table, Format.PARQUET, iter(_kept(tmp_path, Format.PARQUET)), {"numeral.weights_sha256": "ab"})
    assert parquet.read_schema(table).metadata[b"numeral.weights_sha256"] == b"ab"
    assert parquet.ParquetFile(table).metadata.num_row_groups == 1
    monkeypatch.setattr("pipelines.score.table._ROW_GROUP", 1)
    write_table(table, Format.PARQUET, iter(_kept(tmp_path, Format.PARQUET)), {})
    assert parquet.ParquetFile(table).metadata.num_row_groups == 2


@pytest.mark.parametrize("name", ["table", "table.txt", "table.csv.gz"])
def test_a_table_of_an_unknown_format_is_refused_with_the_known_ones(name):
    with pytest.raises(ConfigError, match=r"expected a name that ends in \.csv, \.jsonl or \.parquet"):
        Format.of(Path(name))


def test_without_pyarrow_parquet_names_its_extra_and_csv_needs_nothing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'numeral\[parquet\]'"):
        Format.of(Path("table.parquet"))
    assert Format.of(Path("table.CSV")) is Format.CSV


def test_a_table_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}"):
        check_place(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"):
        check_place(tmp_path / "file" / "table.csv")
    check_place(tmp_path / "new" / "table.csv")
    assert (tmp_path / "new").is_dir()


def test_what_a_killed_run_left_of_the_table_is_removed(tmp_path):
    left = tmp_path / ".table.csv.0123456789abcdef.tmp"
    left.touch()
    other = tmp_path / ".other.csv.0123456789abcdef.tmp"
    other.touch()
    write_table(tmp_path / "table.csv", Format.CSV, iter(_kept(tmp_path, Format.CSV)), {})
    assert not left.exists()
    assert other.exists()
