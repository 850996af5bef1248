import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from core.artifact.objects import Objects
from core.errors import ConfigError, DamagedVersionError, RepositoryError


@pytest.fixture(params=["disk", "memory"])
def objects(request: pytest.FixtureRequest, folder: Path) -> Objects:
    return Objects(str(folder) if request.param == "disk" else "memory://", writable=True)


def test_an_object_is_read_as_it_was_created(objects: Objects) -> None:
    assert objects.create("mnist/1/a", b"\x00\xff")
    assert objects.get("mnist/1/a") == b"\x00\xff"
    assert objects.create("mnist/1/empty", b"")
    assert objects.get("mnist/1/empty") == b""


def test_an_object_is_never_overwritten(objects: Objects) -> None:
    assert objects.create("mnist/1/a", b"first")
    assert not objects.create("mnist/1/a", b"second")
    assert objects.get("mnist/1/a") == b"first"


def test_an_object_that_does_not_exist_is_none(objects: Objects) -> None:
    assert objects.get("mnist/1/a") is None


def test_a_listing_is_sorted_and_stays_below_its_prefix(objects: Objects) -> None:
    for path in ["mnist/10/a", "mnist/1/b", "mnist/1/a", "mnist2/1/a"]:
        objects.create(path, path.encode())
    assert [(o.path, o.size) for o in objects.list("mnist")] == [("mnist/1/a", 9), ("mnist/1/b", 9), ("mnist/10/a", 10)]
    assert [o.path for o in objects.list("mnist/1")] == ["mnist/1/a", "mnist/1/b"]
    assert objects.list("nothing") == []


def test_a_deleted_object_is_gone_and_may_be_deleted_again(objects: Objects) -> None:
    objects.create("mnist/1/a", b"")
    objects.delete("mnist/1/a")
    objects.delete("mnist/1/a")
    assert objects.get("mnist/1/a") is None


def test_deleting_the_last_object_of_a_folder_leaves_no_empty_folder(folder: Path) -> None:
    objects = Objects(str(folder), writable=True)
    objects.create("mnist/1/a", b"")
    objects.create("mnist/2/a", b"")
    objects.delete("mnist/1/a")
    assert sorted(path.name for path in (folder / "mnist").iterdir()) == ["2"]


def test_threads_that_open_a_store_at_once_see_one_store(objects: Objects) -> None:
    start = Barrier(8)

    def work(number: int) -> bool:
        start.wait()
        return objects.create("mnist/claimed", str(number).encode()) | objects.create(f"mnist/{number}", b"")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(objects.list("mnist")) == 9


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("file://{}/models", "models"),
        ("file:{}/models", "models"),
        ("file://{}/my models", "my models"),
        ("file://{}/my%20models", "my models"),
        ("{}/my models", "my models"),
        ("{}/models/", "models"),
        ("{}/a/../models", "models"),
        ("{}/späť", "späť"),
        ("{}/100%", "100%"),
    ],
)
def test_a_folder_may_be_named_by_url_or_by_path(tmp_path: Path, url: str, where: str) -> None:
    objects = Objects(url.format(tmp_path), writable=True)
    objects.create("mnist/1/a", b"here")
    assert (tmp_path / where / "mnist/1/a").read_bytes() == b"here"
    assert Objects(objects.url).get("mnist/1/a") == b"here"


def test_a_relative_path_stays_where_it_was_when_the_working_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = Objects("models", writable=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    objects.create("mnist/1/a", b"")
    assert (tmp_path / "models/mnist/1/a").exists()


def test_a_reader_makes_no_folder_and_names_the_one_that_is_missing(folder: Path) -> None:
    missing = rf"repository {folder.as_uri()}: cannot list mnist: there is no such folder"
    with pytest.raises(RepositoryError, match=missing):
        Objects(str(folder)).list("mnist")
    assert not folder.exists()


def test_a_folder_may_appear_after_the_first_failure(folder: Path) -> None:
    reader = Objects(str(folder))
    with pytest.raises(RepositoryError):
        reader.list("mnist")
    Objects(str(folder), writable=True).create("mnist/1/a", b"")
    assert [o.path for o in reader.list("mnist")] == ["mnist/1/a"]


def test_a_folder_that_vanishes_is_an_outage_and_not_an_empty_repository(folder: Path) -> None:
    Objects(str(folder), writable=True).create("mnist/1/a", b"")
    reader = Objects(str(folder))
    assert len(reader.list("mnist")) == 1
    shutil.rmtree(folder)
    with pytest.raises(RepositoryError):
        reader.list("mnist")
    with pytest.raises(RepositoryError):
        reader.get("mnist/1/a")


def test_a_writer_does_not_make_a_folder_again_that_has_vanished(folder: Path) -> None:
    writer = Objects(str(folder), writable=True)
    writer.create("mnist/1/a", b"")
    assert len(writer.list("mnist")) == 1
    shutil.rmtree(folder)
    with pytest.raises(RepositoryError, match="cannot write mnist/1/b: its folder has vanished; is the disk still"):
        writer.create("mnist/1/b", b"")
    assert not folder.exists()


def test_a_url_that_names_no_store_is_refused_before_its_first_use() -> None:
    with pytest.raises(ConfigError, match="names no repository"):
        Objects("ftp://host/models")


def test_a_loop_of_links_is_an_outage_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(tmp_path / "again")
    (tmp_path / "again").symlink_to(tmp_path / "models")
    for objects in (Objects(str(tmp_path / "models")), Objects(str(tmp_path / "models"), writable=True)):
        for act in (objects.exists, lambda at=objects: at.list("mnist"), lambda at=objects: at.create("mnist/a", b"")):
            with pytest.raises(RepositoryError, match="(?i)too many levels of symbolic links"):
                act()


def test_a_link_is_followed_by_name_to_where_it_leads_now(tmp_path: Path) -> None:
    for name in ("blue", "green"):
        Objects(str(tmp_path / name), writable=True).create("mnist/1/a", name.encode())
    current = tmp_path / "current"
    current.symlink_to("blue")
    objects = Objects(str(current))
    assert objects.get("mnist/1/a") == b"blue"
    current.unlink()
    current.symlink_to("green")
    assert objects.get("mnist/1/a") == b"green"


def test_an_object_that_is_too_large_is_refused_without_being_read(folder: Path) -> None:
    objects = Objects(str(folder), writable=True)
    objects.create("mnist/1/manifest.json", b"{}")
    with (folder / "mnist/1/manifest.json").open("r+b") as file:
        file.truncate(6 * 2**30)  # a sparse file, which takes no room on the disk
    with pytest.raises(DamagedVersionError, match=r"mnist/1/manifest\.json: 6,442,450,944 bytes, expected at most"):
        objects.get("mnist/1/manifest.json")
    objects.create("mnist/1/b", b"123")
    assert objects.get("mnist/1/b", most=3) == b"123"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    for objects in (Objects(str(tmp_path / "models")), Objects(str(tmp_path / "models"), writable=True)):
        with pytest.raises(RepositoryError, match="cannot find its folder: there is a file in its place"):
            objects.create("mnist/1/a", b"")


def test_no_path_leads_out_of_the_repository(objects: Objects) -> None:
    for act in (lambda p: objects.create(p, b""), objects.get, objects.list):
        with pytest.raises(RepositoryError, match="cannot"):
            act("mnist/../../a")
