"""Bodies of requests: too large, too slow, too many."""

import socket

import pytest
from starlette.middleware import Middleware

from service.web.security.body_limit import FORM_BYTES, BodyLimit
from service.web.security.limits import Limits
from tests.patience import eventually
from tests.service.web.security.guarded import everything, guarded

LIMITS = Limits(picture_bytes=100_000)


@pytest.fixture(scope="module")
def server():
    with guarded(Middleware(BodyLimit, LIMITS)) as running:
        yield running


def pieces(size: int, piece: int = 10_000):
    """A body whose length is not announced."""
    return (bytes(min(piece, size - at)) for at in range(0, size, piece))


@pytest.mark.parametrize(
    ("path", "largest"),
    [("/page/measure", 100_000), ("/v2/measure", LIMITS.tensor_bytes), ("/measure", FORM_BYTES)],
)
def test_a_body_may_be_as_large_as_its_path_allows_and_not_a_byte_larger(server, path, largest):
    assert server.ask("POST", path, bytes(largest))[::2] == (200, {"bytes": largest, **_here()})
    assert server.ask("POST", path, pieces(largest), encode_chunked=True)[0] == 200
    status, headers, _ = server.ask("POST", path, bytes(largest + 1))
    assert (status, headers["connection"]) == (413, "close") if path != "/measure" else status in (413, 500)


def _here() -> dict[str, str]:
    return {"peer": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("path", ["/page/measure", "/page/swallow"])
def test_a_body_of_unknown_length_is_refused_while_it_arrives(server, path):
    status, _, found = server.ask("POST", path, pieces(1_000_000), encode_chunked=True)
    assert (status, found["kind"]) == (413, "BodyTooLargeError")
    assert "100,000 bytes" in found["error"]


def test_an_announced_body_is_refused_before_it_is_sent(server):
    with server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection).startswith(b"HTTP/1.1 413 ")


def test_whoever_sends_a_body_that_is_too_large_reads_the_answer_afterwards(server):
    with server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
        for piece in pieces(3_000_000):
            connection.sendall(piece)
        assert everything(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_arrive_is_given_up():
    with guarded(Middleware(BodyLimit, Limits(body_seconds=0.2))) as server, server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        found = everything(connection)
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"SlowBodyError" in found


def test_a_body_that_trickles_is_given_up_although_it_never_pauses():
    with guarded(Middleware(BodyLimit, Limits(body_seconds=0.5))) as server, server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        connection.settimeout(0.05)
        found = b""

        def answered() -> bool:
            nonlocal found
            try:
                connection.sendall(b"x")
                found += connection.recv(65536)
            except TimeoutError:
                pass
            return b"\r\n\r\n" in found

        eventually(answered)
    assert found.startswith(b"HTTP/1.1 408 ")


def test_a_client_that_hangs_up_within_a_body_leaves_nothing_behind():
    with guarded(Middleware(BodyLimit, Limits(waiting_bytes=150_000))) as server:
        for _ in range(5):
            with server.connect() as connection:
                connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
                connection.sendall(bytes(50_000))
        eventually(lambda: server.ask("POST", "/page/measure", bytes(140_000))[0] == 200)


def test_bodies_that_are_together_too_large_are_refused_until_others_are_done():
    with guarded(Middleware(BodyLimit, Limits(waiting_bytes=100_000))) as server, server.connect() as connection:
        connection.sendall(b"POST /page/measure HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n")
        connection.sendall(bytes(80_000))
        eventually(lambda: server.ask("POST", "/page/measure", bytes(40_000))[0] == 503)
        status, headers, found = server.ask("POST", "/page/measure", bytes(40_000))
        assert (status, headers["retry-after"], found["kind"]) == (503, "1", "BusyError")
        connection.sendall(bytes(10_000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        eventually(lambda: server.ask("POST", "/page/measure", bytes(40_000))[0] == 200)
