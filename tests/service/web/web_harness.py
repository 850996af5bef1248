"""A real web server on a free port, as a thread of this process, before a service that really answers."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn

from service.client import AsyncRecognizer
from service.client.connection import Connection
from service.web.application import application
from service.web.http_connection import HttpConnection
from service.web.upstream import Upstream


class WebServer:
    """A web server in a thread of this process, listening at `address`, `host:port`; `url` is where its pages begin."""

    def __init__(self, service: str, *, token: str | None = None, **settings: object) -> None:
        """Start it, and wait until it listens.

        Args:
            service: The address of the service.
            token: The web server's own token; None if the service asks for none.
            **settings: What `application` takes beside the service.
        """
        self._service, self._token, self._settings = service, token, settings
        self._started: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="web server under test")
        self._thread.start()
        self._started.result(timeout=60)

    def end(self) -> None:
        """Stop it and wait until it has. May be called again.

        Raises:
            Exception: What it failed with, the first time.
        """
        with suppress(RuntimeError):  # the event loop is closed: it has stopped
            self._loop.call_soon_threadsafe(partial(setattr, self._server, "should_exit", True))
        self._thread.join(60)
        assert not self._thread.is_alive(), "the web server does not stop"
        ended, self._ended = self._ended, Future()
        if ended.done():
            ended.result()

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own: the response, and its body."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
            self._ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 — whatever it is, the test's thread raises it
            (self._ended if self._started.done() else self._started).set_exception(error)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        options = {"token": self._token} if self._token else {}
        upstream = Upstream(
            lambda other, **more: AsyncRecognizer(
                self._service, **(options | ({"token": other} if other else {}) | more)
            ),
            Connection.to(self._service, **options),
        )
        config = uvicorn.Config(
            application(upstream, **self._settings),
            host="127.0.0.1",
            port=0,
            http=HttpConnection,
            ws="none",
            log_level="warning",
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        serving = asyncio.ensure_future(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        if not serving.done():
            port = self._server.servers[0].sockets[0].getsockname()[1]
            self.address, self.url = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
            self._started.set_result(None)
        await serving


@contextmanager
def web_server_for(service: str, *, token: str | None = None, **settings: object) -> Iterator[WebServer]:
    """Serve from a thread until the block ends; see `WebServer`."""
    server = WebServer(service, token=token, **settings)
    try:
        yield server
    finally:
        server.end()
