"""Where Prometheus looks: `/metrics` and `/healthz` over HTTP, from a thread of its own."""

import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from core.errors import ConfigError
from service.settings import Settings, endpoint

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["MULTIPROCESS", "Endpoint", "forget", "registry_of", "share"]

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that makes prometheus-client count in files; it is read when the library is imported."""


def share(run_dir: Path) -> dict[str, str]:
    """Make the folder in which several processes count together.

    Args:
        run_dir: Their run folder.

    Returns:
        What must be in the environment of each of them from its start.
    """
    folder = run_dir / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    return {MULTIPROCESS: str(folder)}


def forget(run_dir: Path, pid: int) -> None:
    """A process has ended: what it has counted stays, what it has shown (calls under way, …) goes.

    Args:
        run_dir: Its run folder.
        pid: Its number.
    """
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid, path=str(run_dir / "metrics"))  # type: ignore[no-untyped-call]


def registry_of(folder: Path) -> "CollectorRegistry":
    """What all processes have counted together in a folder that `share` has made; read anew at each look."""
    from prometheus_client import CollectorRegistry, multiprocess

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    return registry


class Endpoint:
    """Answers while it is entered.

    Attributes:
        address: `host:port`, the port being the one that was found where the settings say 0.
    """

    def __init__(
        self, settings: Settings, registry: "CollectorRegistry", healthy: Callable[[], bool], *, shared: bool
    ) -> None:
        """Listen; nothing is answered yet.

        Args:
            settings: Whose `metrics_host` and `metrics_port` are taken.
            registry: What to show at `/metrics`.
            healthy: Whether `/healthz` says 200 or 503; any thread may call it.
            shared: Whether other processes listen on the port too, and any of them may answer.

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
                    status, words = "404 Not Found", b"here are /metrics and /healthz\n"
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
                f"cannot listen on {endpoint(host, port)} for metrics: {reason}; choose another place with "
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
    """A thread for each request."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """Logs no request; waits for no client that says nothing."""

    timeout = 10

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
