"""A real HTTP server that plays a mirror, well-behaved or not.

    with MirrorServer({"/labels.gz": data}) as server:
        server.plan("/labels.gz", status(503), truncated(at=100))   # then as a good server
        …
        assert server.seen[1].headers["Range"] == "bytes=100-"

A behavior is a function of the handler and the file's bytes; each request for a path uses up one of its plan.
"""

import hashlib
import re
import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

PHRASES = {416: "Requested Range Not Satisfiable"}  # Python's own phrase changed in 3.13
STALL_SECONDS = 30.0  # far beyond the patience of any test, and ended by the server's own end


@dataclass(frozen=True)
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]
    at: float


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mirror: "MirrorServer"

    def do_GET(self) -> None:
        self.close_connection = True
        self.mirror.seen.append(Seen(self.path, dict(self.headers), time.monotonic()))
        plan = self.mirror.plans[self.path]
        behavior = plan.pop(0) if plan else serve if self.path in self.mirror.files else status(404)
        with suppress(ConnectionError, ssl.SSLError):  # the client may have had enough
            behavior(self, self.mirror.files.get(self.path, b""))

    def do_CONNECT(self) -> None:
        """Be a proxy: join the client with the host that it names."""
        self.close_connection = True
        self.mirror.seen.append(Seen(f"CONNECT {self.path}", dict(self.headers), time.monotonic()))
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as target, suppress(ConnectionError):
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: target, target: self.connection}
            while True:
                ready, _, _ = select.select(list(ends), [], [], STALL_SECONDS)
                for end in ready:
                    data = end.recv(65_536)
                    if not data:
                        return
                    ends[end].sendall(data)

    def begin(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code, PHRASES.get(code))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


Behavior = Callable[[Handler, bytes], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that leaves in the middle is what these tests are about."""


@dataclass
class MirrorServer:
    """Files by path, what to do instead of serving them well, and what was asked."""

    files: dict[str, bytes]
    tls: ssl.SSLContext | None = None
    plans: dict[str, list[Behavior]] = field(default_factory=lambda: defaultdict(list))
    seen: list[Seen] = field(default_factory=list)

    def plan(self, path: str, *behaviors: Behavior) -> None:
        """What happens to the next requests for `path`."""
        self.plans[path] = list(behaviors)

    def __enter__(self) -> Self:
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"mirror": self}))
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if self.tls else 'http'}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path: str) -> list[Seen]:
        """The requests for `path`."""
        return [seen for seen in self.seen if seen.path == path]


def etag(body: bytes) -> str:
    return f'"{hashlib.md5(body).hexdigest()}"'


def serve(handler: Handler, body: bytes) -> None:
    """As a good server: whole, or from where the client asks for it, if it means the same bytes."""
    begin = 0
    if (asked := handler.headers["Range"]) and handler.headers["If-Range"] == etag(body):
        begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
    if begin >= len(body) > 0:
        handler.begin(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
        return
    headers = {"ETag": etag(body), "Content-Length": str(len(body) - begin)}
    if begin:
        headers["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
    handler.begin(206 if begin else 200, headers)
    handler.wfile.write(body[begin:])


def serve_other(other: bytes) -> Behavior:
    """As a good server with other bytes."""
    return lambda handler, _: serve(handler, other)


def status(code: int, **headers: str) -> Behavior:
    """Answer with an empty body. A header's underscores become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _: handler.begin(code, {"Content-Length": "0"} | named)


def redirect(target: str) -> Behavior:
    return status(302, Location=target)


def whole(**headers: str) -> Behavior:
    """Everything, whatever range was asked for."""

    def behave(handler: Handler, body: bytes) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.begin(200, {"ETag": etag(body), "Content-Length": str(len(body))} | named)
        handler.wfile.write(body)

    return behave


def truncated(at: int, **headers: str) -> Behavior:
    """Announce everything, send a beginning, hang up."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def behave(handler: Handler, body: bytes) -> None:
        handler.begin(200, {"Content-Length": str(len(body))} | (named or {"ETag": etag(body)}))
        handler.wfile.write(body[:at])

    return behave


def stalled(at: int) -> Behavior:
    """Announce everything, send a beginning, and then nothing."""

    def behave(handler: Handler, body: bytes) -> None:
        truncated(at)(handler, body)
        handler.mirror.ended.wait(STALL_SECONDS)

    return behave


def mute(handler: Handler, _: bytes) -> None:
    """Take the request and say nothing."""
    handler.mirror.ended.wait(STALL_SECONDS)


def dripping(seconds: float, *, headers: bool = False) -> Behavior:
    """A byte each few `seconds`, of the body or already of the headers: never a stall, never an end."""

    def behave(handler: Handler, body: bytes) -> None:
        if headers:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            handler.begin(200, {"Content-Length": str(len(body))})
        while not handler.mirror.ended.wait(seconds):
            handler.wfile.write(b"a")

    return behave


def endless(chunk: bytes) -> Behavior:
    """The same chunk again and again, with no length announced."""

    def behave(handler: Handler, _: bytes) -> None:
        handler.begin(200, {"Transfer-Encoding": "chunked"})
        while not handler.mirror.ended.is_set():
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    return behave


def partial(begin: int, **headers: str) -> Behavior:
    """Claim to resume, from `begin`."""

    def behave(handler: Handler, body: bytes) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        span = {"Content-Length": str(len(body) - begin), "Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"}
        handler.begin(206, span | named)
        handler.wfile.write(body[begin:])

    return behave
