"""What Prometheus scrapes: `/metrics` and `/healthz` over HTTP, answered by threads of their own."""

import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from core.errors import ConfigError
from service.listening import endpoint
from service.settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["MULTIPROCESS", "Endpoint", "forget", "registry_of", "share"]

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that makes prometheus-client keep its values in files. It is read when the library is imported."""


def share(run_dir: Path) -> dict[str, str]:
    """Create the folder in which several processes count together.

    Args:
        run_dir: Their run folder.

    Returns:
        The variables that must be in the environment of each of them from its start.
    """
    folder = run_dir / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    return {MULTIPROCESS: str(folder)}


def forget(run_dir: Path, pid: int) -> None:
    """Remove the gauges of a process that has ended (calls in flight, …); its counters stay.

    Args:
        run_dir: Its run folder.
        pid: Its id.
    """
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid, path=str(run_dir / "metrics"))  # type: ignore[no-untyped-call]


def registry_of(folder: Path) -> "CollectorRegistry":
    """The values of all processes together, in a folder created by `share`; read from the files at each scrape."""
    from prometheus_client import CollectorRegistry, multiprocess

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


class Endpoint:
    """Listens from the start, and answers while its context lasts.

    Attributes:
        address: `host:port`; where the settings say port 0, the free port that was chosen.
    """

    def __init__(
        self, settings: Settings, registry: "CollectorRegistry", healthy: Callable[[], bool], *, shared: bool
    ) -> None:
        """Listen, but answer nothing yet.

        Args:
            settings: Of these, `metrics_host` and `metrics_port`.
            registry: The values to show at `/metrics`.
            healthy: Whether `/healthz` answers 200 or 503; called from any thread.
            shared: Whether other processes listen on the same port, and any of them may answer.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        from prometheus_client import make_wsgi_app

        metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            match environ.get("PATH_INFO"):
                case "/metrics":
                    return metrics(environ, start_response)
                case "/healthz" if healthy():
                    status, words = "200 OK", b"serving\n"
                case "/healthz":
                    status, words = "503 Service Unavailable", b"not serving\n"
                case _:
                    status, words = "404 Not Found", b"expected /metrics or /healthz\n"
            start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
            return [words]

        host, port = settings.metrics_host, settings.metrics_port or 0
        kind = type("Server", (_Server,), {"address_family": _family(host), "allow_reuse_port": shared})
        try:
            self._server: WSGIServer = make_server(
                host.strip("[]"), port, answer, server_class=kind, handler_class=_Silent
            )
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(
                f"cannot listen on {endpoint(host, port)} for metrics: {reason}; choose another address with "
                "--metrics-port and --metrics-host"
            ) from error
        self.address = endpoint(host, self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1)


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """Logs no requests, and drops clients that send nothing."""

    timeout = 10

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
