"""A mirror on the web: good answers, bad ones, and failures that may be temporary."""

import datetime as dt
import email.utils
import gzip
import threading
from contextlib import suppress

import pytest

from core.errors import SourceError
from pipelines.sources import FetchedFile, fetch_all
from tests.pipelines.sources.mirror_server import (
    dripping,
    endless,
    mute,
    redirect,
    serve_other,
    stalled,
    status,
    truncated,
    whole,
)
from tests.pipelines.sources.sources_inputs import (
    HALF,
    IMAGES,
    LABELS,
    PACKED,
    PLAIN,
    QUICK,
    content,
    spoken,
)


def test_a_mirror_delivers_a_verified_file(server, cache):
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


def test_the_plain_file_is_requested_if_there_is_no_gzipped_one(server, cache):
    server.files = {"/images": PLAIN}
    fetched = cache.fetch(server.url)
    assert fetched.path == cache.folder / "images"
    assert [seen.path for seen in server.seen] == ["/images.gz", "/images"]


@pytest.mark.parametrize("address", ["{}/mnist", "{}/mnist/", "{}/mnist/?token=hunter2"])
def test_an_address_may_end_with_or_without_a_slash(server, cache, address):
    server.files = {"/mnist/images.gz": PACKED, "/mnist/images.gz?token=hunter2": PACKED}
    cache.fetch(address.format(server.url))
    assert "hunter2" not in cache.said


def test_the_password_is_sent_to_the_mirror_and_shown_nowhere(server, cache):
    fetched = cache.fetch(server.url.replace("//", "//me:hunter2@"))
    assert server.seen[0].headers["Authorization"].startswith("Basic ")
    assert "hunter2" not in cache.said + fetched.source
    assert fetched.source == server.url


def test_no_content_encoding_is_accepted(server, cache):
    cache.fetch(server.url)
    assert server.seen[0].headers["Accept-Encoding"] == "identity"


def test_a_file_that_is_gzip_in_name_alone_is_stored_as_plain(server, cache):
    server.files = {"/images.gz": PLAIN}  # gzip in name alone
    assert cache.fetch(server.url).path == cache.folder / "images"


def test_redirects_are_followed(server, cache):
    server.files["/elsewhere/images.gz"] = PACKED
    server.plan("/images.gz", redirect("/on"))
    server.plan("/on", redirect(f"{server.url}/elsewhere/images.gz"))
    assert content(cache.fetch(server.url).path) == PLAIN


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
def test_after_a_bad_answer_the_next_mirror_is_asked_and_the_reason_shown(server, cache, good, behavior, reason):
    server.plan("/images.gz", *[behavior] * QUICK.attempts)
    fetched = cache.fetch(server.url, good)
    assert (fetched.source, content(fetched.path)) == (good, PLAIN)
    assert cache.words[0].startswith(f"images: {server.url} ")
    assert reason in cache.words[0]
    assert cache.names == {"images.gz"}
    assert [seen.path for seen in server.seen] == ["/images.gz"]


def test_after_404_the_other_name_is_tried(server, cache, good):
    server.files = {}
    assert cache.fetch(server.url, good).source == good
    assert f"images: {server.url} has neither images.gz nor images." in cache.words
    assert [seen.path for seen in server.seen] == ["/images.gz", "/images"]


def test_a_bad_answer_for_one_file_does_not_exclude_the_mirror_for_another(server, cache, good):
    server.plan("/images.gz", status(403))
    fetched = fetch_all(cache.folder, mirrors=(server.url, good), fallbacks=(), files=(IMAGES, LABELS), policy=QUICK)
    assert [file.source for file in fetched] == [good, server.url]


def test_an_endless_body_is_not_written_beyond_the_largest_possible_size(server, cache):
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


def test_redirects_in_a_circle_end(server, cache, good):
    server.plan("/images.gz", *[redirect("/images.gz")] * 100)
    assert cache.fetch(server.url, good).source == good
    assert "redirects more than 3 times" in cache.said
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        (status(500), "answered 500 Internal Server Error"),
        (status(503), "answered 503 Service Unavailable"),
        (status(429), "answered 429 Too Many Requests"),
        (truncated(at=HALF), "broke off: peer closed connection without sending complete message body"),
        (truncated(at=0), "broke off: peer closed connection"),
        (lambda handler, _: handler.wfile.write(b"not HTTP\r\n\r\n"), "broke off: "),
        (lambda handler, _: None, "broke off: Server disconnected"),
    ],
    ids=spoken,
)
def test_after_a_temporary_failure_the_request_is_tried_again(server, cache, behavior, reason):
    server.plan("/images.gz", behavior)
    fetched = cache.fetch(server.url)
    assert (fetched.source, content(fetched.path)) == (server.url, PLAIN)
    assert reason in cache.words[0]
    assert cache.words[0].endswith("; trying again.")
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        (stalled(at=HALF), "stalled for 0.5 s"),
        (mute, "sent no answer within 0.5 s"),
        (dripping(0.02), "was too slow: "),
        (dripping(0.02, headers=True), "sent no answer within 0.5 s"),
    ],
    ids=spoken,
)
def test_after_a_time_out_the_request_is_tried_again(server, cache, good, behavior, reason):
    server.plan("/images.gz", behavior)
    fetched = cache.fetch(server.url, good, stall_seconds=0.5)
    assert content(fetched.path) == PLAIN
    assert reason in cache.words[0]
    assert cache.words[0].endswith("; trying again.")
    assert server.asked("/images.gz")[1:], "on a busy machine, the second attempt may take too long as well"


def test_a_mirror_is_skipped_for_all_files_after_its_attempts_have_failed(server, cache, good):
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
def test_a_retry_waits_as_long_as_the_mirror_asks(server, cache, asks):
    def refuse(handler, body):
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)  # as a date, in whole seconds: one to two from now
        date = email.utils.format_datetime(soon, usegmt=True)
        status(429, Retry_After=date if asks == "date" else asks)(handler, body)

    server.plan("/images.gz", refuse)
    cache.fetch(server.url, retry_after_seconds=5.0)
    first, second = server.seen
    assert second.at - first.at > 0.9


def test_a_mirror_that_asks_to_wait_too_long_is_skipped_at_once(server, cache, good):
    server.plan("/images.gz", status(503, Retry_After="3600"))
    assert cache.fetch(server.url, good).source == good
    assert "answered 503 Service Unavailable, asking for 3600 s; it is skipped for the remaining files." in cache.said
    assert len(server.seen) == 1


@pytest.mark.parametrize("asks", ["soon", "²", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 99 Foo 2020"])
def test_a_malformed_retry_after_is_ignored(server, cache, asks):
    server.plan("/images.gz", status(503, Retry_After=asks))
    assert cache.fetch(server.url).source == server.url


def test_a_download_that_takes_too_long_ends(server, cache, good):
    server.plan("/images.gz", *[dripping(0.02)] * 3)
    assert cache.fetch(server.url, good, minimum_speed=0, attempt_seconds=0.3).source == good
    assert "not done after 0.3 s" in cache.said
