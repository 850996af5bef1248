"""A file that has not changed is not framed again, and what was kept survives damage."""

import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from pipelines.new_data import extra, framed_files
from pipelines.new_data.extra import read_extra
from pipelines.new_data.framed_files import FramedFiles
from pipelines.new_data.item import NewItem
from pipelines.new_data.layout import Job

from .given import digit, pixels, save, save_pair


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one file that is no picture, and a pair of IDX files."""
    folder = tmp_path / "extra"
    save(1, folder / "7" / "a.png")
    save(2, folder / "3" / "b.png")
    (folder / "3" / "notes.txt").write_text("mine")
    save_pair(range(3, 6), folder)
    return folder


@pytest.fixture
def framed(tmp_path: Path) -> Path:
    return tmp_path / "framed"


@pytest.fixture
def read_anew(folder: Path, framed: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Reads the folder, and tells which files were really opened."""
    opened: list[str] = []
    truly = extra._read

    def noted(folder: Path, job: Job) -> object:
        opened.append(job.place)
        return truly(folder, job)

    monkeypatch.setattr(extra, "_read", noted)

    def read() -> list[str]:
        opened.clear()
        found = list(read_extra(folder, FramedFiles(framed), lambda _: None))
        assert len(found) == 6
        assert sorted(pixels(found)) == sorted(digit(number).tobytes() for number in range(1, 6))
        return list(opened)

    return read


ALL = ["3/b.png", "3/notes.txt", "7/a.png", "some-images-idx3-ubyte"]


def test_nothing_is_read_again_while_nothing_changes(read_anew: Callable[[], list[str]]) -> None:
    assert [read_anew() for _ in range(3)] == [ALL, [], []]


def test_a_changed_file_alone_is_read_again(folder: Path, read_anew: Callable[[], list[str]]) -> None:
    read_anew()
    labels = folder / "some-labels-idx1-ubyte"
    os.utime(labels, ns=(1, 1))
    assert read_anew() == ["some-images-idx3-ubyte"], "a pair is read as a whole"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: data + b"x",
    ],
)
def test_what_was_kept_counts_as_absent_once_it_is_damaged(
    damage: Callable[[bytes], bytes], framed: Path, read_anew: Callable[[], list[str]]
) -> None:
    read_anew()
    framed.write_bytes(damage(framed.read_bytes()))
    assert read_anew() == ALL
    assert read_anew() == []


def test_other_code_reads_everything_again(read_anew: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    read_anew()
    monkeypatch.setattr(framed_files, "_code", lambda: "a newer Pillow")
    assert read_anew() == ALL


@pytest.mark.parametrize("source", ["core/data/idx.py", "core/imaging/decode.py", "pipelines/new_data/parquet.py"])
def test_every_parser_is_part_of_the_code_that_decides_a_reading(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def covers(*parts: str) -> str:
        assert any(Path(source).is_relative_to(part) for part in parts)
        return "digest"

    monkeypatch.setattr(framed_files, "digest_of_sources", covers)
    framed_files._code.__wrapped__()


def test_another_pyarrow_reads_everything_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = framed_files._code.__wrapped__()
    monkeypatch.setattr(metadata, "version", lambda _: "0.0")
    assert framed_files._code.__wrapped__() != before


@pytest.mark.parametrize("where", ["pipelines.new_data.extra.read_regular", "PIL.Image.open"])
def test_a_file_for_which_memory_was_short_is_tried_again(
    folder: Path, framed: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object, **__: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(where, short)
        first = list(read_extra(folder, FramedFiles(framed), lambda _: None))
    aside = [each for each in first if not isinstance(each, NewItem)]
    assert "there was not enough memory to read it; run again" in {each.reason for each in aside}
    assert len(pixels(read_extra(folder, FramedFiles(framed), lambda _: None))) == 5


def test_what_is_kept_shrinks_with_the_folder(folder: Path, framed: Path) -> None:
    def read() -> int:
        list(read_extra(folder, FramedFiles(framed), lambda _: None))
        return framed.stat().st_size

    size = read()
    (folder / "some-images-idx3-ubyte").unlink()
    assert read() < size - 3 * 784


def test_a_run_that_is_killed_has_not_worked_in_vain(
    folder: Path, framed: Path, read_anew: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framed_files, "_SAVED_AFTER", 2)
    reading = read_extra(folder, FramedFiles(framed), lambda _: None)
    while not (isinstance(found := next(reading), NewItem) and found.place == "7/a.png"):
        pass
    reading.close()  # the third file is read, and two are kept
    assert read_anew() == ALL[2:]


def test_a_file_that_could_not_be_read_is_tried_again(folder: Path, framed: Path) -> None:
    from tests.core.artifact.forbidden import forbid

    def read() -> int:
        return len(pixels(read_extra(folder, FramedFiles(framed), lambda _: None)))

    with pytest.MonkeyPatch.context() as patch:
        allow = forbid(folder / "7" / "a.png", patch)
        assert read() == 4
        allow()
    assert read() == 5
