"""Interrupted downloads, and how they are resumed."""

import gzip
import json
from datetime import timedelta

import pytest

from core.errors import SourceError
from pipelines import leftovers
from tests.patience import eventually
from tests.pipelines.sources.mirror_server import (
    MirrorServer,
    etag,
    partial,
    stalled,
    status,
    truncated,
    whole,
)
from tests.pipelines.sources.sources_inputs import HALF, PACKED, PLAIN, Cache, content, start


def test_an_interrupted_download_is_resumed_where_it_ended(server, cache):
    server.plan("/images.gz", truncated(at=HALF))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert server.seen[1].headers["Range"] == f"bytes={HALF}-"
    assert server.seen[1].headers["If-Range"] == etag(PACKED)
    assert cache.names == {"images.gz"}


def test_without_a_strong_etag_a_download_is_resumed_by_its_date(server, cache):
    date = "Wed, 01 Jan 2020 00:00:00 GMT"
    server.plan("/images.gz", truncated(HALF, ETag='W/"weak"', Last_Modified=date), partial(HALF))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert server.seen[1].headers["If-Range"] == date


def test_without_etag_and_date_a_download_starts_again(server, cache):
    server.plan("/images.gz", truncated(HALF, ETag='W/"weak"'))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert "Range" not in server.seen[1].headers


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        (status(416), "answered 416 Requested Range Not Satisfiable: the bytes held here do not match its file"),
        (partial(HALF - 1), "resumed at the wrong place"),
        (partial(HALF, ETag='"another"'), "resumed at the wrong place"),
        (partial(HALF, Content_Range="nonsense"), "resumed at the wrong place"),
        (partial(HALF, Content_Range="bytes " + "9" * 5000 + "-"), "resumed at the wrong place"),
    ],
    ids=["not satisfiable", "wrong place", "other bytes", "no range", "absurd range"],
)
def test_a_download_starts_again_if_the_mirror_cannot_resume(server, cache, behavior, reason):
    server.plan("/images.gz", truncated(HALF), behavior)
    assert content(cache.fetch(server.url).path) == PLAIN
    assert f"{reason}; trying again." in cache.words[1]
    assert ["Range" in seen.headers for seen in server.seen] == [False, True, False]


def test_an_answer_that_ignores_the_range_is_used_from_its_beginning(server, cache):
    server.plan("/images.gz", truncated(HALF), whole())
    assert content(cache.fetch(server.url).path) == PLAIN
    assert ["Range" in seen.headers for seen in server.seen] == [False, True]


def test_a_download_starts_again_if_the_resumed_bytes_do_not_fit(server, cache):
    server.plan("/images.gz", truncated(HALF), lambda handler, body: partial(HALF)(handler, body[:-1] + b"x"))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert "after a resumed download, which starts again from the beginning; trying again." in cache.said
    assert "Range" not in server.seen[2].headers


def test_a_download_starts_again_if_the_file_has_changed(server, cache):
    server.plan("/images.gz", truncated(HALF, ETag='"the old one"'))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert server.seen[1].headers["If-Range"] == '"the old one"'


def test_a_download_is_not_resumed_from_another_mirror(server, cache):
    server.plan("/images.gz", *[truncated(HALF)] * 3)
    with MirrorServer({"/images.gz": gzip.compress(PLAIN, 1)}) as other:
        assert cache.fetch(server.url, other.url).source == other.url
        assert "Range" not in other.seen[0].headers


def test_a_download_that_lacks_no_byte_is_not_requested_again(server, cache):
    server.plan("/images.gz", whole(Content_Length=str(len(PACKED) + 1)))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert "broke off" in cache.said  # the lie is noticed …
    assert len(server.seen) == 1  # … and the digest tells that all bytes are there


@pytest.mark.parametrize("note", ["", "[]", "{", '{"url": 1, "validator": 2}', '{"url": "elsewhere"}', "\xff"])
def test_a_download_with_a_damaged_note_starts_again(server, cache, note):
    cache.folder.mkdir()
    (cache.folder / "images.gz.part").write_bytes(PACKED[:HALF])
    (cache.folder / "images.gz.part.json").write_bytes(note.encode("latin-1"))
    assert content(cache.fetch(server.url).path) == PLAIN
    assert "Range" not in server.seen[0].headers


def test_a_download_is_resumed_after_its_process_was_killed(server, cache):
    server.plan("/images.gz", stalled(at=1000))  # less than any buffer
    part = cache.folder / "images.gz.part"
    with start(cache.folder, server.url, stall_seconds=60.0) as child:
        try:
            eventually(lambda: part.exists() and part.stat().st_size == 1000)
        finally:
            child.kill()
    assert content(cache.fetch(server.url).path) == PLAIN
    assert server.seen[1].headers["Range"] == "bytes=1000-"
    assert cache.names == {"images.gz"}


def test_a_download_in_progress_is_no_leftover_and_one_that_was_killed_is(server, tmp_path):
    server.plan("/images.gz", stalled(at=1000))
    part, cache = tmp_path / "mnist" / "images.gz.part", Cache(tmp_path / "mnist")
    with start(cache.folder, server.url, stall_seconds=240.0) as child:
        try:
            eventually(lambda: part.exists() and part.stat().st_size == 1000)
            assert leftovers.reclaim(tmp_path, timedelta(0), cache.words.append) == []
            assert cache.names == {"images.gz.part", "images.gz.part.json"}
        finally:
            child.kill()
    assert len(leftovers.reclaim(tmp_path, timedelta(0), cache.words.append)) == 2
    assert cache.names == set()


def test_a_note_holds_no_secret(server, cache):
    server.files["/images.gz?token=hunter2"] = PACKED
    server.plan("/images.gz?token=hunter2", *[truncated(HALF)] * 3)
    with pytest.raises(SourceError) as caught:
        cache.fetch(server.url.replace("//", "//me:hunter2@") + "?token=hunter2")
    note = (cache.folder / "images.gz.part.json").read_text()
    assert json.loads(note)["validator"] == etag(PACKED)
    assert "hunter2" not in note + str(caught.value)
