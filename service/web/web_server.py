"""The web server's life: from its socket through its signals to its exit status."""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import ConfigError
from service.listening import bound, endpoint
from service.web.http_connection import HttpConnection

__all__ = ["HURRIED", "listener", "serve"]

HURRIED = 130
"""The exit status after a second SIGINT."""

IDLE_SECONDS = 30
"""How long a connection is kept for the next request; longer than people pause while they draw."""

MOST_CONNECTIONS = 4_000
"""Connections at once; beyond that, requests are refused."""

_log = logging.getLogger(__name__)


def listener(host: str, port: int) -> socket.socket:
    """A socket for `serve`, which has the address for itself.

    Raises:
        ConfigError: The address cannot be listened on.
    """
    try:
        found = bound(host, port)
        try:
            found.listen(2048)  # here, so that a port that another program listens on is noticed now
        except OSError:
            found.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot listen on {endpoint(host, port)}: {reason}; choose another address with --port and --host"
        ) from error
    return found


async def serve(
    app: ASGIApp,
    listens: socket.socket,
    announce: Callable[[str], None],
    *,
    host: str,
    drain_seconds: float,
    tls: ssl.SSLContext | None = None,
    proxies: Sequence[str] = (),
) -> int:
    """Serve until SIGTERM or SIGINT. A second SIGINT does not wait for the requests in flight.

    Args:
        app: The application.
        listens: As `listener` gives it; it is closed at the end.
        announce: Called once with `listening on http://HOST:PORT`.
        host: The host, as the user named it.
        drain_seconds: What requests in flight may still take.
        tls: With the certificate; None for plain text.
        proxies: The addresses of proxies that are believed what they say of their clients.

    Returns:
        The exit status: 0 if every request was finished, 1 if some were cut off, 130 after a second SIGINT.
    """
    config = uvicorn.Config(
        _quietly_cancelled(app),
        http=HttpConnection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        ssl_context_factory=(lambda *_: tls) if tls else None,
    )
    # What it warns of are requests that are none, which anybody can send any number of.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    scheme, port = "https" if tls else "http", listens.getsockname()[1]
    server = _Server(config, drain_seconds, lambda: announce(f"listening on {scheme}://{endpoint(host, port)}"))
    await server.serve([listens])
    if server.force_exit:
        return HURRIED
    if server.cut_off:
        _log.warning("stopped; %d requests were cut off after %g seconds", server.cut_off, drain_seconds)
        return 1
    _log.info("stopped; every request was answered")
    return 0


def _quietly_cancelled(app: ASGIApp) -> ASGIApp:
    """The application, of which uvicorn does not report as a failure that a request was cut off."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


class _Server(uvicorn.Server):
    """uvicorn's server, with our signals, our limit of time, and an account of what was cut off."""

    def __init__(self, config: uvicorn.Config, drain_seconds: float, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds, self._listening = drain_seconds, listening
        self.cut_off = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _log.info("asked to stop; finishing the requests in flight, for at most %g seconds", self._drain_seconds)
        timer = asyncio.get_running_loop().call_later(self._drain_seconds, self._cut_off)
        try:
            await super().shutdown(sockets)
            if self.force_exit:  # what uvicorn then leaves out
                await self.lifespan.shutdown()
        finally:
            timer.cancel()

    def _cut_off(self) -> None:
        """Close all connections: their requests then end, and with them the wait for these."""
        self.cut_off = len(self.server_state.tasks)
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals in the event loop. uvicorn would raise them again at the end, and so end by a signal."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._leave)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGTERM)
            loop.remove_signal_handler(signal.SIGINT)

    def _leave(self) -> None:
        self.should_exit = True

    def _interrupted(self) -> None:
        if self.should_exit:
            _log.warning("asked to stop again; stopping at once")
            self.force_exit = True
            self._cut_off()
        self.should_exit = True
