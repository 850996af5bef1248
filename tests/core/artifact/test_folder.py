"""One bad entry in a folder hides no other one, and is named with what is wrong."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core.artifact.folder import survey_folder
from core.artifact.objects import Objects
from core.artifact.repository import Repository
from core.errors import UnreadableEntryError, VersionNotFoundError

from .builders import publish
from .forbidden import forbid

Spoil = Callable[[Path], None]


def fifo(at: Path) -> None:
    os.mkfifo(at)


def listener(at: Path) -> None:
    with contextlib.chdir(at.parent), socket.socket(socket.AF_UNIX) as found:
        found.bind(at.name)  # the address of a socket must be short


def link_to_nothing(at: Path) -> None:
    at.symlink_to("nowhere")


def link_to_itself(at: Path) -> None:
    at.symlink_to(at.name)


def empty_file(at: Path) -> None:
    at.write_text("")


def folder_of_that_name(at: Path) -> None:
    at.mkdir()


def folder_in_another_encoding(at: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(at) + b"\xff\xfe"))
    odd.mkdir()
    (odd / "manifest.json").write_text("{}")


SPOILED: list[tuple[str, Spoil, str]] = [
    ("mnist/3", link_to_nothing, "a link to nothing"),
    ("mnist/3", link_to_itself, "a loop of links"),
    ("mnist/3", empty_file, "a file, where a version has its folder"),
    ("mnist/3", fifo, "a FIFO, where a file is expected"),
    ("mnist/1/notes", fifo, "a FIFO"),
    ("mnist/1/notes", listener, "a socket"),
    ("mnist/1/notes", link_to_nothing, "a link to nothing"),
    ("mnist/aliases/champion/000002.json", link_to_nothing, "a link to nothing"),
    ("mnist/aliases/champion/000002.json", fifo, "a FIFO"),
    ("mnist/aliases/champion/000002.json", folder_of_that_name, "a folder, where a file is expected"),
    ("mnist/aliases/champion/000002.json", empty_file, "not a move of an alias"),
    ("mnist/aliases/champion/0000001.json", empty_file, "not the number of a move"),
    (f"mnist/aliases/champion/{'9' * 60}.json", empty_file, "not the number of a move"),
    ("mnist/aliases/champion/００００２.json", empty_file, "not the number of a move"),
]


@pytest.mark.parametrize(("where", "spoil", "finding"), SPOILED)
def test_a_bad_entry_is_named_and_all_others_are_found(
    on_disk: Repository, folder: Path, where: str, spoil: Spoil, finding: str
) -> None:
    for _ in range(2):
        publish(on_disk)
    on_disk.promote(1, by="a test", why="it is sound")
    before = on_disk.snapshot()
    spoil(folder / where)
    found = on_disk.snapshot()
    assert (found.versions, found.aliases) == ((1, 2), {"champion": 1})
    assert list(found.faults) == [where]
    assert found.faults[where].startswith(finding)
    assert "remove it" in found.faults[where]
    assert found.digest != before.digest
    (folder / where).rename(folder / "elsewhere")
    assert on_disk.snapshot() == before


@pytest.mark.parametrize("name", ["3 (copy)", "3.bak", "3\n", "３", "+3", "lost+found", "3#1"])
def test_what_has_no_versions_name_is_neither_a_version_nor_a_fault(
    on_disk: Repository, folder: Path, name: str
) -> None:
    publish(on_disk)
    (folder / "mnist" / name).mkdir()
    (folder / "mnist" / name / "manifest.json").write_text("{}")
    folder_in_another_encoding(folder / "mnist/x")
    folder_in_another_encoding(folder / "mnist/1/x")
    assert (on_disk.snapshot().versions, on_disk.snapshot().faults) == ((1,), {})


def test_a_version_that_may_not_be_entered_hides_no_other(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(on_disk)
    before = on_disk.snapshot()
    allow = forbid(folder / "mnist/2", monkeypatch)
    found = on_disk.snapshot()
    assert found.versions == (1, 3)
    assert found.faults["mnist/2"].startswith("cannot be read: Permission denied; the user that runs this must be able")
    assert found.stamps[2] != before.stamps[2]
    allow()
    assert on_disk.snapshot() == before


def test_a_number_whose_folder_may_not_be_entered_is_neither_given_again_nor_pruned(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        publish(on_disk)
    allow = forbid(folder / "mnist/3", monkeypatch)
    assert publish(on_disk).version == 4
    assert on_disk.prune(keep=1) == [1, 2]
    allow()
    assert on_disk.versions() == [3, 4]


def test_a_file_that_may_not_be_read_is_told_from_one_that_is_missing(
    on_disk: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        publish(on_disk)
    stamp = on_disk.snapshot().stamps[2]
    forbid(folder / "mnist/2/manifest.json", monkeypatch)
    assert on_disk.snapshot().stamps[2] != stamp, "a change of its mode is one of the version"
    with pytest.raises(UnreadableEntryError, match=r"^mnist/2/manifest\.json: cannot be read: Permission denied"):
        on_disk.manifest(2)
    with pytest.raises(VersionNotFoundError):
        on_disk.manifest(3)


@pytest.mark.parametrize("spoil", [fifo, listener, link_to_itself, folder_of_that_name])
def test_reading_what_is_no_file_fails_at_once_and_never_waits(folder: Path, spoil: Spoil) -> None:
    objects = Objects(str(folder), writable=True)
    objects.create("mnist/1/a", b"")
    spoil(folder / "mnist/1/b")
    with pytest.raises(UnreadableEntryError, match=r"^mnist/1/b: .*; remove it$"):
        objects.get("mnist/1/b")


def test_a_version_that_is_a_link_to_everything_is_not_searched(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "system/usr/share").mkdir(parents=True)
    (tmp_path / "system/usr/share/words").write_text("many")
    (folder / "mnist").mkdir(parents=True, exist_ok=True)
    (folder / "mnist/3").symlink_to(tmp_path / "system")
    assert survey_folder(folder, "mnist").objects == []


def test_links_to_versions_elsewhere_are_followed(on_disk: Repository, folder: Path, tmp_path: Path) -> None:
    published = publish(on_disk)
    (folder / "mnist/1").rename(tmp_path / "stored")
    (folder / "mnist/1").symlink_to(tmp_path / "stored")
    assert on_disk.versions() == [1]
    assert on_disk.manifest(1) == published
    assert on_disk.snapshot().faults == {}


def test_a_repository_that_is_a_link_shows_what_the_link_leads_to_now(tmp_path: Path) -> None:
    for name, count in [("old", 1), ("new", 2)]:
        for _ in range(count):
            publish(Repository(str(tmp_path / name), writable=True))
    current = tmp_path / "current"
    current.symlink_to("old")
    followed = Repository(str(current))
    assert followed.url == current.as_uri()
    assert followed.versions() == [1]
    current.unlink()
    current.symlink_to("new")
    assert followed.versions() == [1, 2]


def test_the_numbers_that_an_error_names_are_bounded(on_disk: Repository, folder: Path) -> None:
    manifest = publish(on_disk).encode()
    for number in range(2, 31):
        (folder / f"mnist/{number}").mkdir()
        (folder / f"mnist/{number}/manifest.json").write_bytes(manifest)
    with pytest.raises(VersionNotFoundError, match=r"no version 99; known: 30 versions, the newest: 21, .*, 30$"):
        on_disk.manifest(99)
