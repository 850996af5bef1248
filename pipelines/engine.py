"""How Prefect is run here: with little output, a long start-up limit, and a server of its own unless one is named.

Prefect reads its settings when it is imported, so `prepare` and `own_server` must be called before that. Variables that
the user has set are left alone.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from core.errors import ConfigError

_SETTINGS = {
    # A fresh database takes the temporary server about 20 s, which is also Prefect's own limit.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    # The console shows this project's messages. Prefect's own, with tracebacks, go to its server, together with these.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "numeral.pipelines",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # Otherwise the runs of every night, with their tasks and logs, stay in the database for ever.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
}
_SERVER_STARTS_WITHIN = 120.0


def prepare(*, show_errors: bool = False) -> None:
    """Set the variables that the user has not set.

    Args:
        show_errors: Whether Prefect's errors, with their tracebacks, appear on the console as well: for the log of a
            scheduler, which runs unattended.
    """
    shown = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"} if show_errors else {}
    for name, value in (_SETTINGS | shown).items():
        os.environ.setdefault(name, value)


def check_server() -> None:
    """Check that the server at PREFECT_API_URL answers, if the variable is set.

    Raises:
        ConfigError: It does not answer. Prefect itself would retry for minutes before it says so.
    """
    url = os.environ.get("PREFECT_API_URL")
    if url and not _healthy(url):
        raise ConfigError(
            f"no Prefect server answers at PREFECT_API_URL={url}; "
            "start one with: prefect server start, or unset the variable to run without"
        )


@contextmanager
def own_server() -> Iterator[None]:
    """Run a Prefect server while the block lasts, unless one is named: a schedule needs a server that stays up.

    Raises:
        ConfigError: The server does not start, or the named one does not answer.
    """
    if "PREFECT_API_URL" in os.environ:
        check_server()
        yield
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_until_healthy(url, server)
        os.environ["PREFECT_API_URL"] = url
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_until_healthy(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SERVER_STARTS_WITHIN
    while not _healthy(url):
        if server.poll() is not None or time.monotonic() > deadline:
            raise ConfigError("the Prefect server did not start; see why with: prefect server start")
        time.sleep(0.2)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url.rstrip('/')}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
