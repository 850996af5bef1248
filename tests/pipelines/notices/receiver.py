"""A real HTTP server that receives webhooks, and verifies them by the specification, without our own code."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def plainly(handler: BaseHTTPRequestHandler) -> None:
    """End an answer after its status."""
    handler.end_headers()


@dataclass
class Receiver:
    """What was received, and with which status each request is answered; after the last one, with 204.

    What follows the status is up to `rest`.
    """

    secret: str
    answers: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    forged: int = 0
    rest: Callable[[BaseHTTPRequestHandler], None] = plainly
    left: threading.Event = field(default_factory=threading.Event)
    """Set at the end: an answer that has none ends then."""

    def take(self, headers: Any, body: bytes) -> int:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
        expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        if headers["webhook-signature"] != expected:
            self.forged += 1
            return 401
        self.ids.append(headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.received.append(json.loads(body))
        return status

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(self.headers, body))
                with suppress(ConnectionError):  # whoever asked need not wait for all of it
                    receiver.rest(self)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks?token=hidden"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.left.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
