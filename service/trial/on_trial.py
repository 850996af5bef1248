"""A real service on trial: `python -m service serve` as a process, with one version of a repository."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import grpc

from core.orphans import parent_death_hook
from core.shipped import ROOT
from protos.inference.open_inference_pb2 import RepositoryIndexRequest
from protos.inference.open_inference_pb2_grpc import GRPCInferenceServiceStub
from service.client.connection import Connection
from service.errors import CannotTryError
from service.settings import ENV_PREFIX, OFF

__all__ = ["ServiceOnTrial", "peak_memory"]

_ANNOUNCED = "listening on "
_READY, _UNAVAILABLE = "READY", "UNAVAILABLE"

_LOOK_SECONDS = 5.0
"""How long a look at the state of the version may take."""

_REFUSED_AFTER = 3.0
"""Seconds after which a version that the service has not begun to load, or has refused, counts as refused."""

_STOPS_WITHIN = 15.0
"""Seconds after SIGTERM until it is killed."""

_MEGABYTE = 1024 * 1024


class ServiceOnTrial:
    """One service and the version that it is to serve. Use it as a context manager: at its end, no process is left.

    Attributes:
        version: The number of the version.
        ready_seconds: From its start until it could answer; None until then.
        trouble: Why it will not answer, in words; "" as long as it may.
        address: Where it listens; "" until it does.
    """

    def __init__(self, repository: str, version: int) -> None:
        """Start it, and do not wait.

        Args:
            repository: The URL of the repository.
            version: The number of the version in it, promoted or not.
        """
        self.version = version
        self.ready_seconds: float | None = None
        self.trouble = ""
        self.address = ""
        self._began = monotonic()
        self._refused_since: float | None = None
        self._channel: grpc.Channel | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 — closed at the end of the context
        # One process, so that its memory is that of its version. The version is not compared with an earlier one.
        options = {"policy": f"pinned:{version}", "pretrained": OFF, "workers": 1, "fallback-seconds": 0}
        options |= {"repository": repository, "host": "127.0.0.1", "port": 0, "log-level": "error"}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the trial, which then stops this service in order
            preexec_fn=parent_death_hook(),
        )

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def settled(self) -> bool:
        """Whether it is known if the service can answer."""
        return bool(self.trouble) or self.ready_seconds is not None

    def look(self) -> None:
        """Find out whether it is ready, or will never be, or has ended since it was; returns within seconds.

        Raises:
            CannotTryError: It has ended with an error before it listened, so the reason is not the version.
        """
        ended = self._process.poll()  # first: what it has announced until then can be read now
        if not self.address:
            self._read_address()
        if ended is not None:
            self.trouble = self._end(ended)
        elif self.settled or not self.address:
            return
        elif (state := self._state()) is not None:
            self._judge(*state)

    def memory(self) -> float | None:
        """The most resident memory that it has had, in megabytes; None if that is unknown."""
        return peak_memory(self.pid)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait; a no-op if it has ended."""
        self._process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._channel:
            self._channel.close()
        self.ask_to_stop()
        try:
            self._process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._said.close()

    def _read_address(self) -> None:
        assert self._process.stdout  # noqa: S101 — it is a pipe
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout=0):
                return
        line = self._process.stdout.readline().decode(errors="replace").strip()
        if line.startswith(_ANNOUNCED):
            self.address = line.removeprefix(_ANNOUNCED)
            self._connection = Connection.to(self.address)
            self._channel = self._connection.channel()

    def _state(self) -> tuple[str, str] | None:
        """The state of the version and the reason for it; None if the service does not say."""
        stub = GRPCInferenceServiceStub(self._channel)  # type: ignore[no-untyped-call]
        try:
            found = stub.RepositoryIndex(RepositoryIndexRequest(), **self._connection.call_options(_LOOK_SECONDS))
        except grpc.RpcError:
            return None  # it has died, which the next look notices, or is busy
        states = {model.version: (model.state, model.reason) for model in found.models}
        return states.get(str(self.version), (_UNAVAILABLE, "the repository has no such version"))

    def _judge(self, state: str, reason: str) -> None:
        now = monotonic()
        if state == _READY:
            self.ready_seconds = now - self._began
        elif state != _UNAVAILABLE:
            self._refused_since = None
        else:
            # Between the listing of the repository and the loading of the version, it is unavailable for a moment.
            self._refused_since = self._refused_since or now
            if now - self._refused_since > _REFUSED_AFTER:
                self.trouble = f"the service does not serve it: {reason}"

    def _end(self, status: int) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines() or ["it has not said why"]
        if status < 0:
            return f"the service was ended by {signal.Signals(-status).name}"
        if not self.address:
            raise CannotTryError(f"no service can be started here: {lines[-1].removeprefix('error: ')}")
        return f"the service ended with exit status {status}: {lines[-1]}"


def peak_memory(pid: int, proc: Path = Path("/proc")) -> float | None:
    """The most resident memory that a process has had, in megabytes; None on a system other than Linux."""
    try:
        status = (proc / str(pid) / "status").read_text()
    except OSError:
        return None
    peak = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    kilobytes = next(peak, None)
    return None if kilobytes is None else int(kilobytes) * 1024 / _MEGABYTE


def _environment() -> dict[str, str]:
    """The variables of the present process, without the settings of the service that runs in production.

    Among them are ports that are taken, tokens, and the feedback folder. Where the credentials of a bucket are, says
    another prefix.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith((ENV_PREFIX, "OTEL_"))}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": path}
