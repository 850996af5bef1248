"""Connections: hosts that cannot be reached, proxies, and TLS."""

import socket
import threading
from dataclasses import replace

from pipelines.sources import PUBLIC_MIRRORS, FetchPolicy, exchange, fetch_all
from tests.pipelines.sources.mirror_server import (
    MirrorServer,
    redirect,
)
from tests.pipelines.sources.sources_inputs import (
    IMAGES,
    LABELS,
    PACKED,
    PLAIN,
    QUICK,
    content,
)


def test_a_refused_connection_is_tried_twice_and_then_skipped_for_all_files(cache, good, monkeypatch):
    monkeypatch.setattr(exchange, "QUICK_SECONDS", 60.0)  # on a busy machine, a refusal may take longer than usual
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


def test_an_unknown_host_is_skipped(cache, good):
    assert cache.fetch("http://no-such-host.invalid/mnist/", good).source == good
    assert "http://no-such-host.invalid/mnist/ could not be reached (" in cache.said


def test_an_address_that_drops_packets_costs_one_time_out_in_all(cache, good, black_hole):
    fetch_all(
        cache.folder,
        mirrors=(black_hole, good),
        fallbacks=(),
        files=(IMAGES, LABELS),
        say=cache.words.append,
        policy=replace(QUICK, connect_seconds=0.5),
    )
    (about,) = [word for word in cache.words if black_hole in word]
    assert about.startswith("images: ")
    assert "(no connection within 0.5 s); it is skipped for the remaining files" in about


def test_a_hanging_name_resolution_is_cut_off(cache, good, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait())
    try:
        assert cache.fetch("http://slow-names.invalid/", good, connect_seconds=0.3).source == good
    finally:
        ended.set()
    assert "could not be reached (no connection within 0.3 s); it is skipped for the remaining files." in cache.said


def test_with_an_invalid_proxy_setting_the_next_mirror_is_asked(cache, good, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "gopher://localhost:1")
    assert cache.fetch("http://mirror.invalid/", good).source == good
    assert "could not be reached with the proxy or TLS settings of the environment" in cache.said


def test_a_proxy_from_the_environment_resolves_the_names(server, cache, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.files["http://mirror.invalid/images.gz"] = PACKED
    assert cache.fetch("http://mirror.invalid/").source == "http://mirror.invalid/"


def test_the_default_connection_time_out_is_a_few_seconds():
    policy = FetchPolicy()
    assert policy.connect_seconds * len(PUBLIC_MIRRORS) <= 10


def test_https_serves(certified, cache):
    with MirrorServer({"/images.gz": PACKED}, tls=certified) as server:
        assert cache.fetch(server.url).source == server.url


def test_https_serves_through_a_proxy_from_the_environment(certified, cache, server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
        assert content(cache.fetch(secure.url).path) == PLAIN
        assert [seen.path for seen in server.seen] == [f"CONNECT {secure.url.removeprefix('https://')}"]


def test_a_redirect_from_https_to_http_is_not_followed(certified, cache, server, good):
    with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
        secure.plan("/images.gz", redirect(f"{server.url}/images.gz"))
        assert cache.fetch(secure.url, good).source == good
    assert f"redirects from https to {server.url}/images.gz, which is not followed" in cache.said
    assert server.seen == []


def test_a_redirect_from_http_to_https_is_followed(certified, cache, server):
    with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
        server.plan("/images.gz", redirect(f"{secure.url}/images.gz"))
        assert cache.fetch(server.url).source == server.url


def test_an_unknown_certificate_is_not_trusted(certified, cache, good, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with MirrorServer({"/images.gz": PACKED}, tls=certified) as secure:
        assert cache.fetch(secure.url, good).source == good
    assert "CERTIFICATE_VERIFY_FAILED" in cache.said
    assert secure.seen == []
