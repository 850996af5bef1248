"""Bodies that are compressed, large, slow, chunked or cut off, on raw connections; and connections that go on after."""

import gzip
import http.client
import json
import socket
import zlib

import numpy as np
import pytest

from service.web.security.limits import Limits
from tests.service.web.rest.asking import INFER, asked, pixels_request


@pytest.fixture
def small(service, serve_web):
    """A web server that accepts little, and does not wait long."""
    return serve_web(service.address, limits=Limits(picture_bytes=64 * 1024, body_seconds=0.5))


@pytest.fixture
def body(pixels) -> bytes:
    return json.dumps(pixels_request(pixels[np.newaxis])).encode()


def spoken(address: str, *pieces: bytes) -> bytes:
    """What a server says to these bytes until it closes the connection, or says nothing for ten seconds."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
        said = b""
        while more := connection.recv(65536):
            said += more
        return said


def head(length: str, *more: str) -> bytes:
    lines = (f"POST {INFER} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", length, *more)
    return "\r\n".join((*lines, "", "")).encode()


def test_a_compressed_request_is_answered(web_server, body):
    for encoding, packed in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body)), ("identity", body)):
        assert asked(web_server, "POST", INFER, packed, Content_Encoding=encoding)[0] == 200


DAMAGED = [
    ("gzip", b"no gzip", 400, "not valid gzip"),
    ("gzip", gzip.compress(b"{}")[:-4], 400, "it ends too early"),
    ("gzip", b"", 400, "it ends too early"),
    ("gzip", gzip.compress(b"{}") * 2, 400, "something follows its end"),
    ("gzip", gzip.compress(b"{}") + b"x", 400, "something follows its end"),
    ("deflate", b"{}", 400, "not valid deflate"),
    ("br", b"{}", 415, "gzip or deflate"),
    ("gzip, gzip", b"{}", 415, "gzip or deflate"),
]


def test_a_damaged_or_unknown_encoding_is_refused(web_server):
    for encoding, data, status, words in DAMAGED:
        found, document = asked(web_server, "POST", INFER, data, Content_Encoding=encoding)
        assert (found, words in document["error"]) == (status, True), document


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_413_and_never_unpacked(web_server, encoding):
    pack = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(pack.compress(bytes(1 << 20)) for _ in range(200)) + pack.flush()
    status, found = asked(web_server, "POST", INFER, bomb, Content_Encoding=encoding)
    assert (status, "unpacks to more than" in found["error"]) == (413, True)
    assert asked(web_server, "GET", "/v2")[0] == 200


def test_answers_are_compressed_for_whoever_accepts_that(web_server, pixels):
    request = json.dumps(pixels_request(np.stack([pixels] * 100)))
    plain = web_server.ask("POST", INFER, request)[1]
    for accepted, encoding, unpack in (
        ("gzip", "gzip", gzip.decompress),
        ("deflate", "deflate", zlib.decompress),
        ("gzip;q=0, deflate", "deflate", zlib.decompress),
        ("gzip;q=0.1, deflate;q=0.2", "deflate", zlib.decompress),
        ("br, gzip", "gzip", gzip.decompress),
    ):
        response, packed = web_server.ask("POST", INFER, request, {"Accept-Encoding": accepted})
        assert (response.headers["content-encoding"], response.headers["vary"]) == (encoding, "accept-encoding")
        assert (unpack(packed), len(packed) < len(plain)) == (plain, True)
    for accepted in ("identity", "br", "gzip;q=0", "gzip;q=x", ""):
        response, packed = web_server.ask("POST", INFER, request, {"Accept-Encoding": accepted})
        assert (response.headers["content-encoding"], packed) == (None, plain)


def test_a_chunked_body_is_answered(web_server, body):
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    said = spoken(web_server.address, head("Transfer-Encoding: chunked"), chunks, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_too_large_is_413_however_it_comes(small):
    large = b"x" * (2 << 20)
    announced = spoken(small.address, head(f"Content-Length: {len(large)}"), large)
    chunked = spoken(small.address, head("Transfer-Encoding: chunked"), b"%x\r\n%s\r\n0\r\n\r\n" % (len(large), large))
    for said in (announced, chunked):
        assert said.startswith(b"HTTP/1.1 413 ")
        assert b'{"error":"the body of the request is larger than' in said
        assert b"connection: close" in said.lower()


def test_who_waits_for_100_continue_is_refused_before_sending(small):
    said = spoken(small.address, head("Content-Length: 99000000", "Expect: 100-continue"))
    assert said.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_come_is_408(small):
    said = spoken(small.address, head("Content-Length: 100"), b"{")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'{"error":"the body of the request arrives too slowly' in said


def test_whoever_hangs_up_in_a_body_is_forgotten(small, body):
    host, port = small.address.split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(head("Content-Length: 5000") + body[:100])
    assert asked(small, "POST", INFER, body)[0] == 200


def test_a_header_that_counts_may_not_occur_twice(web_server):
    for name in ("Authorization: Bearer x", "Inference-Header-Content-Length: 2", "Content-Encoding: gzip"):
        said = spoken(web_server.address, head("Content-Length: 2", name, name), b"{}")
        assert said.startswith(b"HTTP/1.1 400 "), said
        assert b"more than once" in said


def test_a_connection_is_used_again_after_each_error(web_server, body):
    connection = http.client.HTTPConnection(web_server.address, timeout=60)
    try:
        for method, path, content, status in (
            ("POST", INFER, b"{", 400),
            ("POST", "/v2/nothing", body, 404),
            ("GET", INFER, None, 405),
            ("PUT", INFER, body, 405),
            ("POST", "/v2/models/other/infer", body, 404),
            ("POST", INFER, body, 200),
        ):
            connection.request(method, path, content)
            response = connection.getresponse()
            response.read()
            assert (response.status, response.will_close) == (status, False)
            opened = connection.sock
            assert opened is not None
        assert connection.sock is opened
    finally:
        connection.close()


def test_pipelined_requests_are_answered_in_order(web_server, body):
    one = head(f"Content-Length: {len(body)}").replace(b"Connection: close\r\n", b"") + body
    said = spoken(web_server.address, one, b"GET /v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 200 ") == 2
    assert said.index(b'"outputs"') < said.index(b'"extensions"')
