"""Sources: four verified files in the cache, whatever the mirrors do."""

import datetime as dt
import email.utils
import gzip
import hashlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.data import idx
from core.data.mnist import FILES, MnistFile
from core.errors import ConfigError, SourceError
from pipelines.sources import FALLBACKS, PUBLIC_MIRRORS, SHIPPED, FetchedFile, FetchPolicy, fetch_all
from tests.pipelines.sources.mirror_server import (
    MirrorServer,
    dripping,
    endless,
    etag,
    mute,
    partial,
    redirect,
    serve_other,
    stalled,
    status,
    truncated,
    whole,
)

ROOT = Path(__file__).parents[3]

# Noise, so that gzip cannot make the file small: there is something to interrupt.
PLAIN = idx.encode(np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8))
PACKED = gzip.compress(PLAIN, mtime=0)
IMAGES = MnistFile("images", "train_images", len(PLAIN), hashlib.sha256(PLAIN).hexdigest(), 2051)
LABELS_PLAIN = idx.encode(np.arange(40, dtype=np.uint8) % 10)
LABELS = MnistFile("labels", "train_labels", len(LABELS_PLAIN), hashlib.sha256(LABELS_PLAIN).hexdigest(), 2049)
HALF = len(PACKED) // 2

QUICK = FetchPolicy(
    connect_seconds=2.0,
    stall_seconds=0.5,
    minimum_speed=1000.0,
    attempt_seconds=20.0,
    attempts=3,
    backoff_seconds=0.01,
    backoff_limit_seconds=0.05,
    retry_after_seconds=2.0,
    redirects=3,
)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine, whatever the environment says about others."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[MirrorServer]:
    with MirrorServer({"/images.gz": PACKED, "/labels.gz": gzip.compress(LABELS_PLAIN)}) as server:
        yield server


def spoken(value: object) -> str | None:
    """Cases are told apart by their words."""
    return value if isinstance(value, str) else None


@dataclass
class Cache:
    """A cache folder, and what was said while it was filled."""

    folder: Path
    words: list[str] = field(default_factory=list)

    def fetch(self, *mirrors: str, files: tuple[MnistFile, ...] = (IMAGES,), **changes: Any) -> FetchedFile:
        """Fetch from `mirrors` alone; the first file."""
        policy = replace(QUICK, **changes)
        return fetch_all(self.folder, mirrors=mirrors, fallbacks=(), files=files, policy=policy, say=self.words.append)[
            0
        ]

    @property
    def said(self) -> str:
        return "\n".join(self.words)

    @property
    def names(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()} - {".lock"}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def good(tmp_path: Path) -> str:
    """A second mirror that is always well: a folder."""
    folder = tmp_path / "good mirror"
    folder.mkdir()
    for name, data in (("images.gz", PACKED), ("labels.gz", gzip.compress(LABELS_PLAIN))):
        (folder / name).write_bytes(data)
    return folder.as_uri()


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


class TestAGoodMirror:
    def test_delivers_a_verified_file(self, server, cache):
        fetched = cache.fetch(server.url)
        assert fetched == FetchedFile(
            name="images",
            path=cache.folder / "images.gz",
            sha256=IMAGES.sha256,
            source=server.url,
            cached=False,
            bytes=len(PACKED),
        )
        assert content(fetched.path) == PLAIN
        assert cache.names == {"images.gz"}
        assert cache.words == [f"images: {len(PACKED):,} bytes from {server.url}, verified."]

    def test_is_asked_for_the_plain_file_when_it_has_no_gzipped_one(self, server, cache):
        server.files = {"/images": PLAIN}
        fetched = cache.fetch(server.url)
        assert fetched.path == cache.folder / "images"
        assert [seen.path for seen in server.seen] == ["/images.gz", "/images"]

    @pytest.mark.parametrize("address", ["{}/mnist", "{}/mnist/", "{}/mnist/?token=hunter2"])
    def test_may_be_named_with_or_without_a_slash(self, server, cache, address):
        server.files = {"/mnist/images.gz": PACKED, "/mnist/images.gz?token=hunter2": PACKED}
        cache.fetch(address.format(server.url))
        assert "hunter2" not in cache.said

    def test_gets_the_password_that_nobody_else_sees(self, server, cache):
        fetched = cache.fetch(server.url.replace("//", "//me:hunter2@"))
        assert server.seen[0].headers["Authorization"].startswith("Basic ")
        assert "hunter2" not in cache.said + fetched.source
        assert fetched.source == server.url

    def test_is_asked_for_the_bytes_as_they_are_stored(self, server, cache):
        cache.fetch(server.url)
        assert server.seen[0].headers["Accept-Encoding"] == "identity"

    def test_may_unpack_on_the_way(self, server, cache):
        server.files = {"/images.gz": PLAIN}  # gzip in name alone
        assert cache.fetch(server.url).path == cache.folder / "images"

    def test_may_redirect(self, server, cache):
        server.files["/elsewhere/images.gz"] = PACKED
        server.plan("/images.gz", redirect("/on"))
        server.plan("/on", redirect(f"{server.url}/elsewhere/images.gz"))
        assert content(cache.fetch(server.url).path) == PLAIN

    def test_may_be_a_folder(self, cache, good):
        fetched = cache.fetch(good)
        assert (fetched.source, content(fetched.path)) == (good, PLAIN)
        assert cache.names == {"images.gz"}


class TestABadAnswer:
    """… costs one request, and the next mirror is asked at once."""

    @pytest.mark.parametrize(
        ("behavior", "reason"),
        [
            (status(403), "answered 403 Forbidden"),
            (status(401), "answered 401 Unauthorized"),
            (status(206), "answered 206 Partial Content"),
            (status(304), "answered 304 Not Modified"),
            (status(302), "answered 302 Found"),
            (
                serve_other(b"<html>Please log in</html>"),
                "has other bytes (images: 26 bytes unpacked, expected 31,376)",
            ),
            (serve_other(PLAIN[:-1] + b"x"), "has other bytes (images: sha256"),
            (
                serve_other(gzip.compress(PLAIN[:-1])),
                "has other bytes (images: 31,375 bytes unpacked, expected 31,376)",
            ),
            (serve_other(PACKED + b"x"), "the gzip stream ends at byte"),
            (serve_other(PACKED[:HALF]), f"the gzip stream is cut short after {HALF:,} bytes"),
            (serve_other(b""), "has other bytes (images: 0 bytes unpacked"),
            (serve_other(gzip.compress(bytes(10 << 20))), "unpacks to more than the limit of 31,376 bytes"),
            (whole(Content_Length=str(HALF)), f"the gzip stream is cut short after {HALF:,} bytes"),
            (whole(Content_Length="999999999"), "announces 999,999,999 bytes, where at most 35,785 can be right"),
            (endless(bytes(4096)), "sends more bytes than the file can have"),
            (redirect("ftp://localhost/images.gz"), "leads to an address that cannot be fetched"),
            (redirect(f"http://{'a' * 64}.invalid/"), "cannot be fetched: Unicode"),
        ],
        ids=spoken,
    )
    def test_is_named_and_the_next_mirror_serves(self, server, cache, good, behavior, reason):
        server.plan("/images.gz", *[behavior] * QUICK.attempts)
        fetched = cache.fetch(server.url, good)
        assert (fetched.source, content(fetched.path)) == (good, PLAIN)
        assert cache.words[0].startswith(f"images: {server.url} ")
        assert reason in cache.words[0]
        assert cache.names == {"images.gz"}
        assert [seen.path for seen in server.seen] == ["/images.gz"]

    def test_of_404_is_tried_under_both_names(self, server, cache, good):
        server.files = {}
        assert cache.fetch(server.url, good).source == good
        assert f"images: {server.url} has neither images.gz nor images." in cache.words
        assert [seen.path for seen in server.seen] == ["/images.gz", "/images"]

    def test_of_one_file_does_not_condemn_the_mirror_for_another(self, server, cache, good):
        server.plan("/images.gz", status(403))
        fetched = fetch_all(
            cache.folder, mirrors=(server.url, good), fallbacks=(), files=(IMAGES, LABELS), policy=QUICK
        )
        assert [file.source for file in fetched] == [good, server.url]

    def test_of_a_bomb_is_never_written_beyond_the_size_that_can_be_right(self, server, cache):
        server.plan("/images.gz", endless(bytes(4096)))
        largest, done = 0, threading.Event()

        def watch() -> None:
            nonlocal largest
            while not done.is_set():
                with suppress(FileNotFoundError):
                    largest = max([largest, *(path.stat().st_size for path in cache.folder.glob("*.part"))])

        watcher = threading.Thread(target=watch)
        watcher.start()
        with pytest.raises(SourceError):
            cache.fetch(server.url)
        done.set()
        watcher.join()
        assert largest < 2 * len(PLAIN)
        assert cache.names == set()

    def test_of_redirects_in_a_circle_ends(self, server, cache, good):
        server.plan("/images.gz", *[redirect("/images.gz")] * 100)
        assert cache.fetch(server.url, good).source == good
        assert "redirects more than 3 times" in cache.said
        assert len(server.seen) == 4


class TestAFailureThatMayGetBetter:
    """… is met with patience, within bounds."""

    @pytest.mark.parametrize(
        ("behavior", "reason"),
        [
            (status(500), "answered 500 Internal Server Error"),
            (status(503), "answered 503 Service Unavailable"),
            (status(429), "answered 429 Too Many Requests"),
            (truncated(at=HALF), "broke off: peer closed connection without sending complete message body"),
            (truncated(at=0), "broke off: peer closed connection"),
            (stalled(at=HALF), "stalled for 0.5 s"),
            (mute, "no answer within 0.5 s"),
            (dripping(0.02), "too slow: "),
            (dripping(0.02, headers=True), "no answer within 0.5 s"),
            (lambda handler, _: handler.wfile.write(b"not HTTP\r\n\r\n"), "broke off: "),
            (lambda handler, _: None, "broke off: Server disconnected"),
        ],
        ids=spoken,
    )
    def test_is_tried_again(self, server, cache, behavior, reason):
        server.plan("/images.gz", behavior)
        fetched = cache.fetch(server.url)
        assert (fetched.source, content(fetched.path)) == (server.url, PLAIN)
        assert reason in cache.words[0]
        assert cache.words[0].endswith("; trying again.")
        assert len(server.seen) == 2

    def test_is_given_up_after_the_attempts_and_for_the_other_files_too(self, server, cache, good):
        server.plan("/images.gz", *[status(500)] * 10)
        fetched = fetch_all(
            cache.folder,
            mirrors=(server.url, good),
            fallbacks=(),
            files=(IMAGES, LABELS),
            policy=QUICK,
            say=cache.words.append,
        )
        assert [file.source for file in fetched] == [good, good]
        assert [seen.path for seen in server.seen] == ["/images.gz"] * 3
        assert (
            f"images: {server.url} answered 500 Internal Server Error; it is skipped for the remaining files."
            in cache.words
        )

    @pytest.mark.parametrize("asks", ["1", "date"])
    def test_waits_as_long_as_the_mirror_asks(self, server, cache, asks):
        if asks == "date":  # whole seconds: between one and two from now
            asks = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2), usegmt=True)
        server.plan("/images.gz", status(429, Retry_After=asks))
        cache.fetch(server.url, retry_after_seconds=5.0)
        first, second = server.seen
        assert second.at - first.at > 0.9

    def test_is_given_up_at_once_when_the_mirror_asks_for_too_long(self, server, cache, good):
        server.plan("/images.gz", status(503, Retry_After="3600"))
        assert cache.fetch(server.url, good).source == good
        assert (
            "answered 503 Service Unavailable, asking for 3600 s; it is skipped for the remaining files." in cache.said
        )
        assert len(server.seen) == 1

    @pytest.mark.parametrize("asks", ["soon", "²", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 99 Foo 2020"])
    def test_does_not_wait_for_what_makes_no_sense(self, server, cache, asks):
        server.plan("/images.gz", status(503, Retry_After=asks))
        assert cache.fetch(server.url).source == server.url

    def test_ends_when_the_whole_takes_too_long(self, server, cache, good):
        server.plan("/images.gz", *[dripping(0.02)] * 3)
        assert cache.fetch(server.url, good, minimum_speed=0, attempt_seconds=0.3).source == good
        assert "not done after 0.3 s" in cache.said


class TestAnInterruptedDownload:
    def test_is_resumed_where_it_ended(self, server, cache):
        server.plan("/images.gz", truncated(at=HALF))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert server.seen[1].headers["Range"] == f"bytes={HALF}-"
        assert server.seen[1].headers["If-Range"] == etag(PACKED)
        assert cache.names == {"images.gz"}

    def test_is_resumed_by_its_date_when_there_is_no_strong_etag(self, server, cache):
        date = "Wed, 01 Jan 2020 00:00:00 GMT"
        server.plan("/images.gz", truncated(HALF, ETag='W/"weak"', Last_Modified=date), partial(HALF))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert server.seen[1].headers["If-Range"] == date

    def test_begins_anew_when_nothing_vouches_for_the_rest(self, server, cache):
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
    def test_begins_anew_when_the_mirror_cannot_resume(self, server, cache, behavior, reason):
        server.plan("/images.gz", truncated(HALF), behavior)
        assert content(cache.fetch(server.url).path) == PLAIN
        assert f"{reason}; trying again." in cache.words[1]
        assert ["Range" in seen.headers for seen in server.seen] == [False, True, False]

    def test_begins_anew_in_the_same_answer_when_the_mirror_ignores_the_range(self, server, cache):
        server.plan("/images.gz", truncated(HALF), whole())
        assert content(cache.fetch(server.url).path) == PLAIN
        assert ["Range" in seen.headers for seen in server.seen] == [False, True]

    def test_begins_anew_when_the_resumed_bytes_do_not_fit(self, server, cache):
        server.plan("/images.gz", truncated(HALF), lambda handler, body: partial(HALF)(handler, body[:-1] + b"x"))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert "after a resumed download, which starts again from the beginning; trying again." in cache.said
        assert "Range" not in server.seen[2].headers

    def test_begins_anew_when_the_file_has_changed_meanwhile(self, server, cache):
        server.plan("/images.gz", truncated(HALF, ETag='"the old one"'))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert server.seen[1].headers["If-Range"] == '"the old one"'

    def test_is_not_resumed_from_another_mirror(self, server, cache):
        server.plan("/images.gz", *[truncated(HALF)] * 3)
        with MirrorServer({"/images.gz": gzip.compress(PLAIN, 1)}) as other:
            assert cache.fetch(server.url, other.url).source == other.url
            assert "Range" not in other.seen[0].headers

    def test_that_lacks_nothing_is_not_fetched_again(self, server, cache):
        server.plan("/images.gz", whole(Content_Length=str(len(PACKED) + 1)))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert "broke off" in cache.said  # the lie is noticed …
        assert len(server.seen) == 1  # … and the digest tells that all bytes are there

    @pytest.mark.parametrize("note", ["", "[]", "{", '{"url": 1, "validator": 2}', '{"url": "elsewhere"}', "\xff"])
    def test_with_a_damaged_note_begins_anew(self, server, cache, note):
        cache.folder.mkdir()
        (cache.folder / "images.gz.part").write_bytes(PACKED[:HALF])
        (cache.folder / "images.gz.part.json").write_bytes(note.encode("latin-1"))
        assert content(cache.fetch(server.url).path) == PLAIN
        assert "Range" not in server.seen[0].headers

    def test_survives_the_death_of_its_process(self, server, cache):
        server.plan("/images.gz", stalled(at=1000))  # less than any buffer
        part = cache.folder / "images.gz.part"
        with start(cache.folder, server.url, stall_seconds=60.0) as child:
            try:
                until(lambda: part.exists() and part.stat().st_size == 1000)
            finally:
                child.kill()
        assert content(cache.fetch(server.url).path) == PLAIN
        assert server.seen[1].headers["Range"] == "bytes=1000-"
        assert cache.names == {"images.gz"}

    def test_leaves_no_secret_on_disk(self, server, cache):
        server.files["/images.gz?token=hunter2"] = PACKED
        server.plan("/images.gz?token=hunter2", *[truncated(HALF)] * 3)
        with pytest.raises(SourceError) as caught:
            cache.fetch(server.url.replace("//", "//me:hunter2@") + "?token=hunter2")
        note = (cache.folder / "images.gz.part.json").read_text()
        assert json.loads(note)["validator"] == etag(PACKED)
        assert "hunter2" not in note + str(caught.value)


class TestTheCache:
    @pytest.mark.parametrize("name", ["images.gz", "images"])
    def test_is_used_without_a_request(self, server, cache, name):
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
    def test_sets_a_damaged_file_aside_and_fetches_it_again(self, server, cache, damage):
        cache.folder.mkdir()
        (cache.folder / "images.gz").write_bytes(damage)
        fetched = cache.fetch(server.url)
        assert (fetched.cached, content(fetched.path)) == (False, PLAIN)
        (aside,) = (cache.folder / "quarantine").iterdir()
        assert aside.read_bytes() == damage
        assert cache.words[0].startswith("images: ")
        assert f"the damaged {fetched.path} was moved to {aside}" in cache.words[0]

    def test_keeps_every_damaged_file_apart(self, server, cache):
        for damage in (b"first", b"second"):
            cache.folder.mkdir(exist_ok=True)
            (cache.folder / "images.gz").write_bytes(damage)
            cache.fetch(server.url)
        assert {path.read_bytes() for path in (cache.folder / "quarantine").iterdir()} == {b"first", b"second"}

    def test_fetches_only_what_is_missing(self, server, cache, good):
        cache.fetch(server.url)
        fetched = fetch_all(cache.folder, mirrors=(server.url,), fallbacks=(), files=(IMAGES, LABELS), policy=QUICK)
        assert [file.cached for file in fetched] == [True, False]
        assert [seen.path for seen in server.seen] == ["/images.gz", "/labels.gz"]

    def test_may_be_read_only_once_it_is_complete(self, server, cache):
        cache.fetch(server.url)
        (cache.folder / ".lock").unlink()
        cache.fetch(server.url)
        assert not (cache.folder / ".lock").exists()

    def test_that_cannot_be_made_is_an_error_of_its_own(self, server, cache):
        cache.folder.write_text("a file")
        with pytest.raises(
            SourceError, match=f"cache folder {cache.folder}: .*; make it writable, or choose another one"
        ):
            cache.fetch(server.url)
        assert server.seen == []

    def test_is_shared_by_processes_that_fetch_at_the_same_time(self, server, cache):
        server.plan("/images.gz", slowly)
        children = [start(cache.folder, server.url, stall_seconds=60.0) for _ in range(3)]
        outcomes = [json.loads(child.communicate(timeout=60)[0]) for child in children]
        assert [child.returncode for child in children] == [0, 0, 0]
        assert sorted(cached for cached, _ in outcomes) == [False, True, True]
        assert len(server.seen) == 1
        assert cache.names == {"images.gz"}
        assert content(cache.folder / "images.gz") == PLAIN


class TestNoNetwork:
    def test_a_refused_connection_is_tried_once_more_and_then_never_again(self, cache, good):
        with socket.create_server(("127.0.0.1", 0)) as free:
            gone = f"http://127.0.0.1:{free.getsockname()[1]}"
        fetch_all(
            cache.folder,
            mirrors=(gone, good),
            fallbacks=(),
            files=(IMAGES, LABELS),
            policy=QUICK,
            say=cache.words.append,
        )
        about = [word for word in cache.words if gone in word]
        assert len(about) == 2
        assert "could not be reached (" in about[0]
        assert about[0].endswith("trying again.")
        assert about[1].endswith("it is skipped for the remaining files.")

    def test_an_unknown_host_is_passed_over(self, cache, good):
        assert cache.fetch("http://no-such-host.invalid/mnist/", good).source == good
        assert "http://no-such-host.invalid/mnist/ could not be reached (" in cache.said

    def test_packets_into_the_void_cost_one_connection_time_out_per_mirror(self, cache, good, black_hole):
        began = time.monotonic()
        fetch_all(
            cache.folder,
            mirrors=(black_hole, good),
            fallbacks=(),
            files=(IMAGES, LABELS),
            say=cache.words.append,
            policy=replace(QUICK, connect_seconds=0.5),
        )
        assert time.monotonic() - began < 5
        (about,) = [word for word in cache.words if black_hole in word]
        assert about.startswith("images: ")
        assert "it is skipped for the remaining files" in about

    def test_a_hanging_name_resolution_is_bounded(self, cache, good, monkeypatch):
        ended = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30))
        began = time.monotonic()
        try:
            assert cache.fetch("http://slow-names.invalid/", good, connect_seconds=0.3).source == good
        finally:
            ended.set()
        assert time.monotonic() - began < 5
        assert "could not be reached (no connection within 0.3 s); it is skipped for the remaining files." in cache.said

    def test_a_proxy_that_makes_no_sense_stops_nothing(self, cache, good, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "gopher://localhost:1")
        assert cache.fetch("http://mirror.invalid/", good).source == good
        assert "could not be reached with the proxy or TLS settings of the environment" in cache.said

    def test_a_proxy_of_the_environment_resolves_the_names(self, server, cache, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", server.url)
        server.files["http://mirror.invalid/images.gz"] = PACKED
        assert cache.fetch("http://mirror.invalid/").source == "http://mirror.invalid/"

    def test_the_default_patience_is_seconds(self):
        policy = FetchPolicy()
        assert policy.connect_seconds * len(PUBLIC_MIRRORS) <= 10


class TestMirrors:
    def test_are_tried_in_the_order_given(self, cache, good):
        with MirrorServer({}) as first, MirrorServer({"/images.gz": PACKED}) as second:
            fetched = fetch_all(
                cache.folder, mirrors=(first.url,), fallbacks=(second.url, good), files=(IMAGES,), policy=QUICK
            )
            assert len(first.seen) == 2
            assert fetched[0].source == second.url

    def test_end_with_the_copy_that_ships(self):
        assert (*PUBLIC_MIRRORS, SHIPPED.as_uri()) == FALLBACKS
        assert all(url.startswith("https://") for url in PUBLIC_MIRRORS)

    def test_that_ship_have_the_canonical_bytes(self, cache):
        fetched = fetch_all(cache.folder, fallbacks=(SHIPPED.as_uri(),))
        assert [(file.name, file.sha256) for file in fetched] == [(file.name, file.sha256) for file in FILES]
        assert all(file.path.is_file() and not file.cached for file in fetched)

    def test_that_all_fail_are_listed_with_their_reasons(self, server, cache, tmp_path):
        server.plan("/images.gz", status(403))
        empty = tmp_path.as_uri()
        with pytest.raises(SourceError) as caught:
            cache.fetch(server.url, empty)
        assert str(caught.value).splitlines() == [
            "images: no mirror could deliver it",
            f"  - {server.url} answered 403 Forbidden",
            f"  - {empty} has neither images.gz nor images",
            f"Name another one with --mirror URL, or put images (or images.gz) into {cache.folder}.",
        ]

    @pytest.mark.parametrize(
        "url", ["ftp://host/", "host/mnist", "/a/folder", "file://host/folder", "http://", "", "http://[::1/"]
    )
    def test_with_another_kind_of_address_are_a_mistake_of_the_configuration(self, cache, url):
        with pytest.raises(ConfigError, match=r"^mirror "):
            cache.fetch(url)
        assert not cache.folder.exists()

    @pytest.mark.parametrize("name", ["images.gz", "images"])
    def test_that_are_damaged_folders_are_passed_over(self, cache, good, tmp_path, name):
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad" / name).write_bytes(bytes(10 << 20))
        assert cache.fetch((tmp_path / "bad").as_uri(), good).source == good
        assert "has other bytes" in cache.said
        assert cache.names == {"images.gz"}


class TestHttps:
    def test_serves(self, certified, cache):
        with MirrorServer({"/images.gz": PACKED}, tls=certified) as server:
            assert cache.fetch(server.url).source == server.url

    def test_serves_through_a_proxy_of_the_environment(self, certified, cache, server, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
            assert content(cache.fetch(secure.url).path) == PLAIN
            assert [seen.path for seen in server.seen] == [f"CONNECT {secure.url.removeprefix('https://')}"]

    def test_never_becomes_http_on_the_way(self, certified, cache, server, good):
        with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
            secure.plan("/images.gz", redirect(f"{server.url}/images.gz"))
            assert cache.fetch(secure.url, good).source == good
        assert f"redirects from https to {server.url}/images.gz, which is not followed" in cache.said
        assert server.seen == []

    def test_may_follow_http(self, certified, cache, server):
        with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
            server.plan("/images.gz", redirect(f"{secure.url}/images.gz"))
            assert cache.fetch(server.url).source == server.url

    def test_with_an_unknown_certificate_is_not_trusted(self, certified, cache, good, monkeypatch):
        monkeypatch.delenv("SSL_CERT_FILE")
        with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
            assert cache.fetch(secure.url, good).source == good
        assert "CERTIFICATE_VERIFY_FAILED" in cache.said
        assert secure.seen == []


def slowly(handler: Any, body: bytes) -> None:
    """Take long enough for the others to arrive."""
    handler.begin(200, {"Content-Length": str(len(body))})
    for start in range(0, len(body), 4096):
        handler.wfile.write(body[start : start + 4096])
        time.sleep(0.15)


CHILD = """
import json, sys
from pathlib import Path
from core.data.mnist import MnistFile
from pipelines.sources import FetchPolicy, fetch_all
folder, mirror, file, policy = sys.argv[1:]
[fetched] = fetch_all(Path(folder), mirrors=[mirror], fallbacks=[], files=[MnistFile(**json.loads(file))],
                      policy=FetchPolicy(**json.loads(policy)))
print(json.dumps([fetched.cached, str(fetched.path)]))
"""


def start(folder: Path, mirror: str, **changes: float) -> subprocess.Popen[str]:
    """Fetch in a process of its own."""
    policy = replace(QUICK, **changes)
    arguments = [str(folder), mirror, json.dumps(vars(IMAGES)), json.dumps(vars(policy))]
    return subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def black_hole() -> Iterator[str]:
    """An address that swallows packets: Linux drops connection requests to a listener whose queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS for localhost, with a certificate that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
