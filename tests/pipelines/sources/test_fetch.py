"""The order of mirrors and the cache: four verified files, whatever the mirrors do."""

import fcntl
import gzip
import json
import os
import resource
import time
from datetime import timedelta
from typing import Any

import pytest

from core.data.mnist import FILES
from core.errors import ConfigError, SourceError, StorageError
from pipelines import leftovers
from pipelines.sources import FALLBACKS, PUBLIC_MIRRORS, SHIPPED, fetch_all
from tests.pipelines.sources.mirror_server import (
    MirrorServer,
    status,
)
from tests.pipelines.sources.sources_inputs import (
    HALF,
    IMAGES,
    LABELS,
    PACKED,
    PLAIN,
    QUICK,
    Cache,
    content,
    start,
)


def test_mirrors_are_tried_in_the_order_given(cache, good):
    with MirrorServer({}) as first, MirrorServer({"/images.gz": PACKED}) as second:
        fetched = cache.fetch(first.url, second.url, good)
        assert len(first.seen) == 2
        assert fetched.source == second.url


def test_the_last_fallback_is_the_copy_in_the_repository():
    assert (*PUBLIC_MIRRORS, SHIPPED.as_uri()) == FALLBACKS
    assert all(url.startswith("https://") for url in PUBLIC_MIRRORS)


def test_the_copy_in_the_repository_has_the_pinned_bytes(cache):
    fetched = fetch_all(cache.folder, fallbacks=(SHIPPED.as_uri(),))
    assert [(file.name, file.sha256) for file in fetched] == [(file.name, file.sha256) for file in FILES]
    assert all(file.path.is_file() and not file.cached for file in fetched)


def test_if_every_mirror_fails_all_are_listed_with_their_reasons(server, cache, tmp_path):
    server.plan("/images.gz", status(403))
    empty = tmp_path.as_uri()
    with pytest.raises(SourceError) as caught:
        fetch_all(cache.folder, fallbacks=(server.url, empty), files=(IMAGES,), policy=QUICK)
    assert str(caught.value).splitlines() == [
        "images: no mirror could deliver it",
        f"  - {server.url} answered 403 Forbidden",
        f"  - {empty} has neither images.gz nor images",
        f"Name another one with --mirror URL, or put images (or images.gz) into {cache.folder}.",
    ]


@pytest.mark.parametrize(
    "url", ["ftp://host/", "host/mnist", "/a/folder", "file://host/folder", "http://", "", "http://[::1/"]
)
def test_an_address_of_another_kind_is_a_configuration_error(cache, url):
    with pytest.raises(ConfigError, match=r"^mirror "):
        cache.fetch(url)
    assert not cache.folder.exists()


@pytest.mark.parametrize("name", ["images.gz", "images"])
def test_a_folder_with_damaged_files_is_skipped(cache, good, tmp_path, name):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / name).write_bytes(bytes(10 << 20))
    assert cache.fetch((tmp_path / "bad").as_uri(), good).source == good
    assert "has other bytes" in cache.said
    assert cache.names == {"images.gz"}


def test_a_mirror_may_be_a_folder(cache, good):
    fetched = cache.fetch(good)
    assert (fetched.source, content(fetched.path)) == (good, PLAIN)
    assert cache.names == {"images.gz"}


@pytest.mark.parametrize("lacking", ["no such folder", "an empty folder", "an empty server"])
def test_a_named_mirror_that_has_nothing_is_an_error_before_any_other_is_asked(lacking, server, cache, good, tmp_path):
    server.files = {}
    (tmp_path / "an empty folder").mkdir()
    url = server.url if lacking == "an empty server" else (tmp_path / lacking).as_uri()
    with pytest.raises(ConfigError, match=r"named by --mirror or NUMERAL_MIRRORS, (does not exist|has neither)"):
        fetch_all(cache.folder, mirrors=(url,), fallbacks=(good,), files=(IMAGES,), policy=QUICK)
    assert cache.names == set()


def test_a_named_mirror_that_fails_is_replaced_by_a_public_one_with_a_message(server, cache, good):
    server.plan("/images.gz", *[status(503)] * QUICK.attempts)
    fetched = fetch_all(
        cache.folder, mirrors=(server.url,), fallbacks=(good,), files=(IMAGES,), policy=QUICK, say=cache.words.append
    )
    assert fetched[0].source == good
    assert "images: no mirror that was named has delivered it; asking the public ones." in cache.words


@pytest.mark.parametrize("name", ["images/images", "images/images.gz", "IMAGES", "Images.GZ", "images/IMAGES.GZ"])
def test_a_file_is_found_in_the_layouts_of_archives_and_under_other_capitals(name, cache, tmp_path):
    for folder in (tmp_path / "mirror", tmp_path / "filled"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(PACKED if name.lower().endswith(".gz") else PLAIN)
    fetched = cache.fetch((tmp_path / "mirror").as_uri())
    assert (fetched.cached, content(fetched.path)) == (False, PLAIN)
    fetched = Cache(tmp_path / "filled").fetch("http://unused.invalid/")
    assert (fetched.cached, fetched.path) == (True, tmp_path / "filled" / name)


def test_of_several_files_of_one_name_the_sound_one_is_used(cache, tmp_path):
    (tmp_path / "images").write_bytes(PLAIN[:-1])
    (tmp_path / "images.gz").write_bytes(PACKED)
    assert cache.fetch(tmp_path.as_uri()).source == tmp_path.as_uri()


@pytest.mark.parametrize("name", ["images.gz", "images"])
def test_a_complete_cache_is_used_without_a_request(server, cache, name):
    cache.folder.mkdir()
    (cache.folder / name).write_bytes(PACKED if name.endswith(".gz") else PLAIN)
    fetched = cache.fetch(server.url)
    assert (fetched.path, fetched.cached, fetched.source) == (cache.folder / name, True, "cache")
    assert server.seen == []
    assert cache.words == [f"All 1 files are in {cache.folder} already, and verified."]


@pytest.mark.parametrize(
    "damage",
    [b"", PACKED[:HALF], PACKED[:-1] + b"x", gzip.compress(b"other"), b"\0" * 99],
    ids=["empty", "cut short", "wrong checksum", "another file", "zeros"],
)
def test_a_damaged_file_is_moved_aside_and_downloaded_again(server, cache, damage):
    cache.folder.mkdir()
    (cache.folder / "images.gz").write_bytes(damage)
    fetched = cache.fetch(server.url)
    assert (fetched.cached, content(fetched.path)) == (False, PLAIN)
    (aside,) = (cache.folder / "quarantine").iterdir()
    assert aside.read_bytes() == damage
    assert cache.words[0].startswith("images: ")
    assert f"the damaged {fetched.path} was moved to {aside}" in cache.words[0]


def test_a_folder_with_a_damaged_file_is_moved_aside_as_a_whole(server, cache):
    (cache.folder / "images").mkdir(parents=True)
    (cache.folder / "images" / "images").write_bytes(PLAIN[:-1])
    server.files = {"/images": PLAIN}
    assert cache.fetch(server.url).path == cache.folder / "images"
    (aside,) = (cache.folder / "quarantine").iterdir()
    assert (aside / "images").read_bytes() == PLAIN[:-1]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_was_just_moved_aside_is_no_old_leftover_however_old_it_is(kind, good, tmp_path):
    cache = Cache(tmp_path / "mnist")
    places = {"file": "mnist/images.gz", "folder": "mnist/images/images.gz", "link": "elsewhere/images.gz"}
    damaged = tmp_path / places[kind]
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"damaged")
    if kind == "link":
        cache.folder.mkdir()
        (cache.folder / "images.gz").symlink_to("../elsewhere/images.gz")
    for path in cache.folder.rglob("*"):
        os.utime(path, (0, 0), follow_symlinks=False)
    cache.fetch(good)
    assert len(list((cache.folder / "quarantine").iterdir())) == 1
    assert leftovers.reclaim(tmp_path, timedelta(days=14), cache.words.append) == []


def test_every_damaged_file_is_kept(server, cache):
    for damage in (b"first", b"second"):
        cache.folder.mkdir(exist_ok=True)
        (cache.folder / "images.gz").write_bytes(damage)
        cache.fetch(server.url)
    assert {path.read_bytes() for path in (cache.folder / "quarantine").iterdir()} == {b"first", b"second"}


def test_only_missing_files_are_downloaded(server, cache, good):
    cache.fetch(server.url)
    fetched = fetch_all(cache.folder, mirrors=(server.url,), fallbacks=(), files=(IMAGES, LABELS), policy=QUICK)
    assert [file.cached for file in fetched] == [True, False]
    assert [seen.path for seen in server.seen] == ["/images.gz", "/labels.gz"]


def test_a_complete_cache_may_be_read_only(server, cache):
    cache.fetch(server.url)
    assert not (cache.folder / ".lock").exists()
    with (cache.folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who waits for the lock, or removes it, has not found the cache complete
        cache.fetch(server.url)
        assert (cache.folder / ".lock").exists()


def test_a_cache_that_cannot_be_created_is_an_error_before_any_request(server, cache):
    cache.folder.write_text("a file")
    with pytest.raises(StorageError, match=f"cannot write {cache.folder}.*: something else is in its place"):
        cache.fetch(server.url)
    assert server.seen == []


def test_a_disk_that_becomes_full_is_an_error_in_words_and_the_next_run_downloads(cache, good):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))  # as a full disk, but nobody else notices
    try:
        with pytest.raises(StorageError, match=f"cannot write {cache.folder}: it is larger than the limit for files"):
            cache.fetch(good)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content(cache.fetch(good).path) == PLAIN
    assert cache.names == {"images.gz"}


def test_of_three_processes_at_the_same_time_one_downloads(server, cache):
    server.plan("/images.gz", slowly)
    children = [start(cache.folder, server.url, stall_seconds=60.0) for _ in range(3)]
    outcomes = [json.loads(child.communicate(timeout=60)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sorted(cached for cached, _ in outcomes) == [False, True, True]
    assert len(server.seen) == 1
    assert cache.names == {"images.gz"}
    assert content(cache.folder / "images.gz") == PLAIN


def slowly(handler: Any, body: bytes) -> None:
    """Send the file so slowly that the other processes arrive meanwhile."""
    handler.begin(200, {"Content-Length": str(len(body))})
    for at in range(0, len(body), 4096):
        handler.wfile.write(body[at : at + 4096])
        time.sleep(0.15)
