"""What lies in a folder is found without following, opening or waiting for anything."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import NewDataError
from pipelines.new_data.survey import survey
from tests.core.artifact.forbidden import forbid


def test_regular_files_are_found_at_any_depth_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for path in ("b", "a/c", "a/b/c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    assert [file.path for file in survey(tmp_path).files] == ["a/b/c", "a/c", "b"]


@pytest.mark.parametrize("name", [".DS_Store", ".hidden/a", "__MACOSX/7/._a.png", "7/Thumbs.db", "desktop.ini"])
def test_what_file_managers_leave_behind_is_passed_over_in_silence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    assert survey(tmp_path) == ([], {})


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (os.mkfifo, "a FIFO"),
        (lambda at: at.symlink_to("/dev/zero"), "a link"),
        (lambda at: at.symlink_to(at.name), "a link"),
        (lambda at: at.symlink_to("/"), "a link"),
        (lambda at: at.symlink_to("file"), "a link"),
    ],
)
def test_what_is_no_regular_file_is_listed_and_stops_nothing(
    tmp_path: Path, spoil: Callable[[Path], object], finding: str
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    spoil(tmp_path / "odd")
    found = survey(tmp_path)
    assert [file.path for file in found.files] == ["file"]
    assert found.faults == {"odd": f"{finding}, where a file is expected"}


def test_a_folder_that_may_not_be_entered_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"x")
    forbid(tmp_path / "a", monkeypatch)
    found = survey(tmp_path)
    assert [file.path for file in found.files] == ["b/file"]
    assert found.faults == {"a": "cannot be listed: Permission denied"}


class Failing:
    """Of `os.scandir` of one folder: fails when it is opened, or while it is listed, or when an entry is looked at."""

    def __init__(self, at: Path, when: str, number: int) -> None:
        self.at, self.when, self.error = at, when, OSError(number, os.strerror(number), os.fspath(at))
        self.truly = os.scandir

    def __call__(self, path: Path) -> Any:
        if path == self.at and self.when == "opened":
            raise self.error
        return self if path == self.at else self.truly(path)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Any:
        if self.when == "listed":
            raise self.error
        return iter([self])

    name = "entry"

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise self.error


@pytest.mark.parametrize("when", ["opened", "listed", "looked at"])
@pytest.mark.parametrize("number", [errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.EIO])
def test_an_outage_of_the_storage_is_an_error_and_no_smaller_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, number: int
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"x")
    monkeypatch.setattr(os, "scandir", Failing(tmp_path / "a", when, number))
    if number == errno.EIO:  # of one folder, or one file
        found = survey(tmp_path)
        assert [file.path for file in found.files] == ["b/file"]
        assert len(found.faults) == 1
        return
    with pytest.raises(NewDataError, match=f"cannot read {tmp_path / 'a'}.*; run again once its storage answers"):
        survey(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_a_folder_that_is_none_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(NewDataError, match=f"cannot list {tmp_path / name}: No.* directory; name"):
        survey(tmp_path / name)


def test_a_file_replaced_by_another_of_the_same_size_and_date_has_another_stamp(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    before = file.stat()
    [found] = survey(tmp_path).files
    (tmp_path / "new").write_bytes(b"y")
    (tmp_path / "new").replace(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    [again] = survey(tmp_path).files
    assert found.stamp[:2] == again.stamp[:2]
    assert found.stamp != again.stamp
