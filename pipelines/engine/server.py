"""The Prefect server that is told of the runs: the one that Prefect's settings name, or one of our own."""

import os
import socket
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import ConfigError
from pipelines.engine import bound, leftover_servers

if TYPE_CHECKING:
    import httpx

_STARTS_WITHIN = 120.0
"""Seconds. A fresh database takes about 20 s on a quiet machine."""

_ANSWERS_WITHIN = 5.0
_SCHEDULING = ("prefect", "server", "start", "--host", "127.0.0.1", "--port")
_TEMPORARY = (
    *("uvicorn", "--factory", "prefect.server.api.server:create_app", "--lifespan", "on"),
    *("--log-level", "critical", "--host", "127.0.0.1", "--port"),
)


@dataclass(frozen=True)
class NamedServer:
    """A server that Prefect's settings name: the environment, a profile, or a `prefect.toml`.

    Attributes:
        url: Of its API.
        headers: What each request must carry: who asks.
        trust: How its certificate is checked, as httpx takes it. By default not at all: reading the trusted ones takes
            longer than an answer, and a server without TLS has none.
    """

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    trust: ssl.SSLContext | bool = False

    def get(self, path: str) -> "httpx.Response":
        """Ask for something.

        Raises:
            httpx.HTTPError: No answer within five seconds.
            httpx.InvalidURL: The URL is none.
        """
        import httpx  # here: a run without Prefect does without it

        return httpx.get(f"{self.url}{path}", headers=self.headers, timeout=_ANSWERS_WITHIN, verify=self.trust)


def named_server() -> NamedServer | None:
    """The server that Prefect's settings name, if any. Imports Prefect, which takes a second.

    Raises:
        ConfigError: The settings cannot be read.
    """
    try:
        from prefect.settings import get_current_settings

        settings = get_current_settings()
    except Exception as error:  # whatever a profile or a prefect.toml may hold
        reason = str(error).splitlines()[0]
        raise ConfigError(f"Prefect's settings cannot be read: {reason}; see them with: prefect config view") from error
    api = settings.api
    if not api.url:
        return None
    headers = dict(settings.client.custom_headers)
    if api.auth_string:
        headers["Authorization"] = f"Basic {b64encode(api.auth_string.get_secret_value().encode()).decode()}"
    elif api.key:
        headers["Authorization"] = f"Bearer {api.key.get_secret_value()}"
    trust: ssl.SSLContext | bool = api.url.startswith("https:") and not api.tls_insecure_skip_verify
    if trust and api.ssl_cert_file:
        trust = ssl.create_default_context(cafile=api.ssl_cert_file)
    return NamedServer(api.url.rstrip("/"), headers, trust)


def check_server() -> NamedServer | None:
    """Check that the server that Prefect's settings name answers, and lets us in.

    Returns:
        The server; None if none is named.

    Raises:
        ConfigError: It does not. Prefect itself would retry for minutes before it says so.
    """
    server = named_server()
    if server and (fault := _fault(server)):
        raise ConfigError(fault)
    return server


def answers(server: NamedServer) -> bool:
    """Whether the server is up. Asks no more than that, so this is cheap for it."""
    import httpx

    try:
        return server.get("/health").is_success
    except httpx.HTTPError:
        return False


@contextmanager
def own_server() -> Iterator[bool]:
    """Run a Prefect server while the block lasts, unless one is named; then check that one.

    It ends with this process, however that ends.

    Yields:
        Whether the server is our own.

    Raises:
        ConfigError: The server does not start, or the named one does not answer.
    """
    if check_server():
        yield False
        return
    with running_server(temporary=False) as server:
        use(server)
        yield True


def use(server: NamedServer) -> None:
    """Have Prefect use a server of ours, here and in processes that are started from here."""
    from prefect.context import refresh_global_settings_context

    os.environ["PREFECT_API_URL"] = server.url
    refresh_global_settings_context()  # Prefect read its settings when it was asked whether they name a server


@contextmanager
def running_server(*, temporary: bool) -> Iterator[NamedServer]:
    """A server of our own while the block lasts; servers that earlier runs left behind are ended first.

    Args:
        temporary: For a single run: without pages, and without the services that plan runs.

    Raises:
        ConfigError: It does not start.
    """
    leftover_servers.end_all()
    port = _free_port()
    server = NamedServer(f"http://127.0.0.1:{port}/api")
    if temporary:
        process = bound.start(
            *_TEMPORARY, str(port), PREFECT__SERVER_EPHEMERAL="1", PREFECT__SERVER_FINAL="1", PREFECT_UI_ENABLED="0"
        )
    else:
        process = bound.start(*_SCHEDULING, str(port))
    try:
        with leftover_servers.noted(process.pid):
            _wait_until_healthy(server, process)
            yield server
    finally:
        bound.end(process, within=5)


def _fault(server: NamedServer) -> str | None:
    """What keeps us from using a named server; None if nothing does."""
    import httpx

    try:
        # /health is answered even to those who may do nothing else.
        answer = server.get("/admin/version")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = "it answers nothing" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        return (
            f"no Prefect server answers at PREFECT_API_URL={server.url} ({why}); start one with: prefect server start, "
            "unset the variable to run with a server of our own, or use none with --engine plain"
        )
    if answer.status_code in (401, 403):
        return (
            f"the Prefect server at PREFECT_API_URL={server.url} refuses us (status {answer.status_code}); "
            "set PREFECT_API_AUTH_STRING (a server of your own) or PREFECT_API_KEY (Prefect Cloud)"
        )
    if answer.is_server_error:
        return (
            f"the Prefect server at PREFECT_API_URL={server.url} is not well (status {answer.status_code}); "
            "see its log, or use none with --engine plain"
        )
    return None


def _wait_until_healthy(server: NamedServer, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while not answers(server):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ConfigError("the Prefect server did not start; see why with: prefect server start")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
