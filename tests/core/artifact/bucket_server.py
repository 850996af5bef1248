"""An S3 that fails on demand: a proxy in front of moto's server, which answers, drops, delays or refuses requests."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from moto.server import ThreadedMotoServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
}
_HOP_BY_HOP = frozenset({"content-length", "transfer-encoding", "connection", "date", "server"})

Fault = Callable[["_Request"], bool]
"""Acts on a request in place of the store; False if the store has to answer all the same."""


def refuse(status: int, code: str, more: str = "", **headers: str) -> Fault:
    """Answer with an error of S3."""

    def act(request: "_Request") -> bool:
        body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>no</Message>{more}</Error>'.encode()
        request.answer(status, headers, body if code else b"")
        return True

    return act


def lose_the_answer(request: "_Request") -> bool:
    """Let the store do what was asked, and close the connection."""
    request.forward()
    request.close()
    return True


def drop(request: "_Request") -> bool:
    """Close the connection, and ask the store nothing."""
    request.close()
    return True


class Faulty:
    """The proxy.

    Attributes:
        url: Where it listens.
        requests: The methods and paths of what was asked, since the fault was set.
    """

    def __init__(self, store: tuple[str, int]) -> None:
        self.store = store
        self.requests: list[tuple[str, str]] = []
        self._fault: Fault | None = None
        self._left = 0
        self._methods: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.url = ""

    def fail(self, fault: Fault, times: int = 10**9, methods: str = "GET PUT DELETE HEAD POST") -> None:
        """Have the next requests with these methods end in a fault."""
        with self._lock:
            self._fault, self._left, self._methods = fault, times, frozenset(methods.split())
            self.requests.clear()

    def heal(self) -> None:
        """Let all requests through again."""
        self.fail(drop, times=0)

    def next_fault(self, method: str, path: str) -> Fault | None:
        """What the request that has just arrived ends in."""
        with self._lock:
            self.requests.append((method, path))
            if not self._left or method not in self._methods:
                return None
            self._left -= 1
            return self._fault


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faulty: Faulty

    def forward(self) -> tuple[int, dict[str, str], bytes]:
        """Ask the store."""
        connection = http.client.HTTPConnection(*self.faulty.store, timeout=60)
        connection.request(self.command, self.path, self.body, dict(self.headers))
        response = connection.getresponse()
        found = response.status, dict(response.getheaders()), response.read()
        connection.close()
        return found

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def close(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.faulty.next_fault(self.command, self.path)
        if fault is None or not fault(self):
            self.answer(*self.forward())

    do_GET = do_PUT = do_DELETE = do_POST = handle_one  # noqa: N815 — the names that the standard library calls

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 — the standard library's name
        return


def environment_of(server: Faulty) -> dict[str, str]:
    """What a program finds in its environment that uses this bucket. The endpoint is plain http."""
    return {**ENVIRONMENT, "AWS_ENDPOINT": server.url, "no_proxy": "127.0.0.1"}


@contextmanager
def faulty_bucket() -> Iterator[Faulty]:
    """moto's server with a bucket `models`, behind the proxy."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    faulty = Faulty(moto.get_host_and_port())
    handler = type("Handler", (_Request,), {"faulty": faulty})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        faulty.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, name="faulty bucket").start()
        try:
            connection = http.client.HTTPConnection(*faulty.store)
            connection.request("PUT", "/models")
            assert connection.getresponse().status == 200
            yield faulty
        finally:
            server.shutdown()
            moto.stop()
