"""Asking a service for its metrics: what answers instead is named."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipelines.canary import asking
from pipelines.canary.asking import ServiceSilentError, ask

OURS = b"""
numeral_start_timestamp_seconds 1.7e9
numeral_images_total{version="8"} 100.0
numeral_images_total{version="5"} 900.0
"""


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """A program that answers every request so; gives where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(body: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_page_is_asked_for_past_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(page(OURS)) as address:
        found = ask(address, (8, 5))
    assert (found.start, found.canary.pictures, found.champion.pictures) == (1.7e9, 100, 900)


@pytest.mark.parametrize(
    ("body", "status", "finding"),
    [
        (b"", 200, "has no numeral_start_timestamp_seconds; is that the port of another program"),
        (b"up 1\n", 200, "has no numeral_start_timestamp_seconds"),
        (b"<html>", 200, "shows no metrics"),
        (b"\xff\xfe", 200, "shows no metrics"),
        (OURS, 404, "404 Not Found"),
        (OURS, 503, "503 Service Unavailable"),
    ],
)
def test_what_is_no_service_is_named(body: bytes, status: int, finding: str):
    with answering(page(body, status)) as address, pytest.raises(ServiceSilentError) as caught:
        ask(address, (8, 5))
    assert address in str(caught.value)
    assert finding in str(caught.value)


def test_a_service_that_never_ends_its_answer_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "_SECONDS", 0.2)
    left = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not left.wait(0.05):
            handler.wfile.write(b"#")

    with answering(drip) as address:
        try:
            with pytest.raises(ServiceSilentError, match="it does not answer in time"):
                ask(address, (8, 5))
        finally:
            left.set()


def test_a_page_without_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "_LARGEST", 1000)
    with answering(page(b"#" * 5000)) as address, pytest.raises(ServiceSilentError, match="more than 1,000 bytes"):
        ask(address, (8, 5))
