"""A file is complete on disk or absent, whatever happens while it is written."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from core.data import durable
from core.data.durable import UNFINISHED, whole_file, write_whole
from core.errors import StorageError


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "file", b"data")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"data"
    assert len(list((tmp_path / "a" / "b").iterdir())) == 1


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with suppress(KeyboardInterrupt), whole_file(path) as file:
        file.write(b"ne")
        assert len(list(tmp_path.glob(UNFINISHED))) == 1
        raise KeyboardInterrupt
    assert (path.read_bytes(), len(list(tmp_path.iterdir()))) == (b"old", 1)


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as one, whole_file(path) as other:
        one.write(b"one")
        other.write(b"other")
    assert path.read_bytes() == b"one", "the last one that ended"


def test_the_bytes_and_then_the_new_name_reach_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def recording(file: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{file}").readlink()))
        fsync(file)

    monkeypatch.setattr(durable.os, "fsync", recording)
    write_whole(tmp_path / "file", b"data")
    assert Path(synced[0]).match(UNFINISHED)
    assert synced[1:] == [str(tmp_path)]


def test_a_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=f"cannot write {tmp_path}/file/below: something else is in its place"):
        write_whole(tmp_path / "file" / "below", b"data")
