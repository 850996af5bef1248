"""Files in a local folder: whole, on the disk before they have a name, or not there."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.artifact.creation import create_file, remove_file
from core.artifact.objects import Objects
from core.errors import RepositoryError


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced, and when a file is given its name."""
    done: list[str] = []
    fsync, link = os.fsync, os.link

    def recording_fsync(file: int) -> None:
        fsync(file)
        done.append(f"sync {Path(f'/proc/self/fd/{file}').readlink().name.partition('#')[0]}")

    def recording_link(source: Path, target: Path) -> None:
        link(source, target)
        done.append(f"name {target.name}")

    monkeypatch.setattr("core.artifact.creation.os.fsync", recording_fsync)
    monkeypatch.setattr("core.artifact.creation.os.link", recording_link)
    return done


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_counts(
    tmp_path: Path, log: list[str]
) -> None:
    assert create_file(tmp_path / "a/b/c", b"data")
    assert log[:2] == ["sync c", "name c"]
    assert sorted(log[2:]) == ["sync a", "sync b", f"sync {tmp_path.name}"]
    assert (tmp_path / "a/b/c").read_bytes() == b"data"
    log.clear()
    assert create_file(tmp_path / "a/b/d", b"data")
    assert log == ["sync d", "name d", "sync b"]


@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_overwritten_not_even_a_link_to_nothing(tmp_path: Path, link: bool) -> None:
    file = tmp_path / "c"
    file.symlink_to("nowhere") if link else file.write_text("first")
    assert not create_file(file, b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_writer_that_is_overtaken_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def overtaken(source: Path, target: Path) -> None:
        Path(target).write_text("first")
        link(source, target)

    monkeypatch.setattr("core.artifact.creation.os.link", overtaken)
    assert not create_file(tmp_path / "c", b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert (tmp_path / "c").read_text() == "first"


def test_a_folder_that_is_removed_as_empty_meanwhile_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, tries = Path.open, []

    def removing(self: Path, *arguments: str) -> object:
        tries.append(self)
        if len(tries) == 1:
            self.parent.rmdir()
        return opened(self, *arguments)

    monkeypatch.setattr(Path, "open", removing)
    assert create_file(tmp_path / "a/c", b"data")
    assert len(tries) == 2


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError):
        create_file(tmp_path / "a/b/c", b"data")


def test_folders_are_removed_with_their_last_file_and_the_root_is_not(tmp_path: Path) -> None:
    for name in ("a/b/c", "a/d"):
        create_file(tmp_path / name, b"")
    remove_file(tmp_path / "a/b/c", tmp_path)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["d"]
    remove_file(tmp_path / "a/d", tmp_path)
    remove_file(tmp_path / "a/d", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk on which only 1,000 bytes are left for each file; that of `docs/storage.md` was a real one."""

    def sync_on_a_full_disk(file: int) -> None:
        if os.fstat(file).st_size > 1000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("core.artifact.creation.os.fsync", sync_on_a_full_disk)
    return


def test_of_a_file_that_does_not_fit_on_the_disk_nothing_is_left(folder: Path, full_disk: None) -> None:
    folder.mkdir()
    sentence = "cannot write mnist/1/a: No space left on device; free some, e.g. with: python -m pipelines models prune"
    with pytest.raises(RepositoryError, match=sentence):
        Objects(str(folder), writable=True).create("mnist/1/a", bytes(2000))
    assert list(folder.iterdir()) == []
