"""A real server on a free port, as a thread of this process, for an application that a guard stands before."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from service.web.http_connection import HttpConnection
from service.web.security.catching import Catching


async def _measure(request: Request) -> JSONResponse:
    body = await request.body()
    return JSONResponse({"bytes": len(body), "peer": request.client.host, "scheme": request.url.scheme})


async def _swallow(request: Request) -> JSONResponse:
    """Reads the body, and takes whatever happens for a success."""
    with suppress(Exception):
        await request.body()
    return JSONResponse({"bytes": -1})


async def _wait(request: Request) -> JSONResponse:
    """Answers once the client sends `/page/release`."""
    request.app.state.waiting += 1
    await request.app.state.released.wait()
    return JSONResponse({})


async def _release(request: Request) -> JSONResponse:
    request.app.state.released.set()
    return JSONResponse({"waiting": request.app.state.waiting})


async def _waiting(request: Request) -> JSONResponse:
    return JSONResponse({"waiting": request.app.state.waiting})


def behind(*guards: Middleware) -> Starlette:
    """An application behind guards."""
    methods = ["GET", "POST"]
    app = Starlette(
        routes=[
            Route("/page/measure", _measure, methods=methods),
            Route("/v2/measure", _measure, methods=methods),
            Route("/measure", _measure, methods=methods),
            Route("/page/swallow", _swallow, methods=methods),
            Route("/page/wait", _wait),
            Route("/page/waiting", _waiting),
            Route("/page/release", _release),
        ],
        middleware=[Middleware(Catching), *guards],
    )
    app.state.released, app.state.waiting = asyncio.Event(), 0
    return app


class Guarded:
    """The server, listening at `port` of 127.0.0.1."""

    def __init__(self, app: ASGIApp, **options: object) -> None:
        config = uvicorn.Config(app, port=0, http=HttpConnection, log_config=None, access_log=False, **options)
        self._server = uvicorn.Server(config)
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="guarded application")
        self._thread.start()
        self.port = self._started.result(timeout=60)

    async def _live(self) -> None:
        serving = asyncio.ensure_future(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.005)
        if self._server.started:
            self._started.set_result(self._server.servers[0].sockets[0].getsockname()[1])
        await serving

    def end(self) -> None:
        """Stop it, and wait until it has."""
        self._server.should_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None, **more: object):
        """One request: its status, its headers, and the JSON of its body, or None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {}, **more)
            response = connection.getresponse()
            text = response.read()
            is_json = (response.getheader("content-type") or "").startswith("application/json")
            return response.status, response.headers, json.loads(text) if is_json else None
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A connection of bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@contextmanager
def guarded(*guards: Middleware, **options: object) -> Iterator[Guarded]:
    """Serve an application behind guards until the block ends; `options` are those of uvicorn."""
    server = Guarded(behind(*guards), **options)
    try:
        yield server
    finally:
        server.end()


def everything(connection: socket.socket) -> bytes:
    """All that arrives until the server closes the connection."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
