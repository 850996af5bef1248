"""Tables as data sets on Hugging Face have them; without the library that reads them, the error names it."""

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from PIL import Image

from pipelines.new_data.extra import read_extra
from pipelines.new_data.framed_files import FramedFiles
from pipelines.new_data.item import SetAside
from pipelines.new_data.parquet import read_parquet
from pipelines.new_data.reading import Row

from .given import digit


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(digit(number)).save(file, "PNG")
    return file.getvalue()


def table(**columns: list[Any]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def test_without_pyarrow_a_table_is_set_aside_with_the_extra_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # to import it is an ImportError
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "train.parquet").write_bytes(b"PAR1")
    [found] = read_extra(tmp_path / "new", FramedFiles(tmp_path / "framed"), lambda _: None)
    assert isinstance(found, SetAside)
    assert "pip install 'numeral[parquet]'" in found.reason
    assert not FramedFiles(tmp_path / "framed")._earlier, "it is tried again once the library is there"


def test_each_row_is_a_picture_with_its_label() -> None:
    images = [{"bytes": png(1), "path": "1.png"}, {"bytes": png(2), "path": None}]
    assert read_parquet(table(image=images, label=[4, 9])).rows == (
        Row(0, 4, digit(1).tobytes()),
        Row(1, 9, digit(2).tobytes()),
    )


def test_a_picture_may_be_its_bytes_alone() -> None:
    assert read_parquet(table(image=[png(1)], label=[4])).rows == (Row(0, 4, digit(1).tobytes()),)


def test_a_bad_row_is_set_aside_alone() -> None:
    found = read_parquet(table(image=[png(1), b"no picture", png(3), None], label=[4, 5, 11, 6]))
    assert [row.number for row in found.rows] == [0]
    assert [number for number, _ in found.faults] == [1, 2, 3]
    assert found.faults[1][1] == "its label is 11, expected a digit from 0 to 9"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a Parquet file that can be read"),
        (b"PAR1" * 100, "not a Parquet file that can be read"),
        (None, "no column label, found image; expected image and label"),
    ],
)
def test_a_file_that_is_no_such_table_is_one_fault(content: bytes | None, words: str) -> None:
    [(row, reason)] = read_parquet(table(image=[png(1)]) if content is None else content).faults
    assert row is None
    assert words in reason


def test_memory_that_is_short_is_no_fault_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(_: object) -> None:
        raise pyarrow.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", short)
    with pytest.raises(MemoryError):
        read_parquet(table(image=[png(1)], label=[4]))
