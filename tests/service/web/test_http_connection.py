"""Connections that send little or too much before a body."""

import time

import pytest

from service.web import http_connection
from service.web.http_connection import HEAD_BYTES
from tests.service.web.security.guarded import everything, guarded


@pytest.fixture(scope="module")
def server():
    with guarded() as running:
        yield running


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * (HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000,
        b"GET /" + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 100_000,
    ],
    ids=["one header", "a header without end", "an address without end", "headers without end"],
)
def test_a_head_that_is_too_large_is_refused(server, head):
    with server.connect() as connection:
        try:
            connection.sendall(head)
            found = everything(connection)
        except (BrokenPipeError, ConnectionResetError):  # the rest of it met a closed door
            return
    assert found.startswith(b"HTTP/1.1 431 ")


def test_a_head_of_usual_size_is_not(server):
    assert server.ask("GET", "/page/measure", headers={"X": "a" * 16_000})[0] == 200


def send_for_ever(connection, part, pause=0.0):
    while True:
        connection.sendall(part)
        time.sleep(pause)


def test_trailers_without_end_are_refused(server):
    with server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_for_ever(connection, b"X: a\r\n" * 1000)


def test_many_requests_on_one_connection_are_not_counted_as_one(server):
    with server.connect() as connection:
        for _ in range(20):
            connection.sendall(b"GET /page/measure HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 16_000 + b"\r\n\r\n")
            found = b""
            while not found.endswith(b"}"):
                found += connection.recv(65536)
            assert found.startswith(b"HTTP/1.1 200 ")


def test_what_is_no_http_is_refused(server):
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /page/measure HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_whose_request_does_not_begin_or_end_is_closed(monkeypatch, sent):
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.2)
    with guarded() as server, server.connect() as connection:
        connection.sendall(sent)
        assert everything(connection) == b""


@pytest.mark.parametrize("rest", [b"G", b"GET /page/measure HTTP/1.1\r\nHost: x\r\nX: a"])
def test_a_head_that_begins_right_behind_a_request_must_end_soon_too(monkeypatch, rest):
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.2)
    with guarded() as server, server.connect() as connection:
        connection.sendall(b"GET /page/measure HTTP/1.1\r\nHost: x\r\n\r\n" + rest)
        found = everything(connection)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert found.count(b"HTTP/1.1") == 1


def test_a_head_that_trickles_is_cut_off_although_it_never_pauses(monkeypatch):
    monkeypatch.setattr(http_connection, "HEAD_SECONDS", 0.2)
    with guarded() as server, server.connect() as connection:
        connection.sendall(b"GET /page/measure HTTP/1.1\r\nHost: x\r\nX: a")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            send_for_ever(connection, b"a", pause=0.01)


def test_a_request_may_arrive_in_pieces(server):
    whole = b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"
    with server.connect() as connection:
        for _ in range(2):
            for at in range(0, len(whole), 7):
                connection.sendall(whole[at : at + 7])
            found = b""
            while not found.endswith(b"}"):
                found += connection.recv(65536)
            assert found.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_nobody_reads_does_not_hold_the_connection(monkeypatch):
    monkeypatch.setattr(http_connection, "UNREAD_SECONDS", 0.2)
    with guarded() as server, server.connect() as connection:
        connection.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        found = everything(connection)
    assert b" 404 " in found or b" 500 " in found
