"""Where an attack takes place: a folder and a repository of its own, and services that it starts and stops."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import grpc
import numpy as np

from benchmarks import sides, versions
from benchmarks.memory import total
from benchmarks.sides import ROOT, START, family, free_port
from core.artifact.repository import Repository
from core.errors import ConfigError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest, RecognizeResponse

__all__ = ["PICTURE", "RECOGNIZE", "Arena", "Service", "open_channel", "streaming", "took", "unary"]

RECOGNIZE = "/numeral.v1.Recognizer/Recognize"
PICTURE = np.pad(np.full((20, 4), 255, np.uint8), ((4, 4), (12, 12))).tobytes()
"""784 pixels in which something is drawn."""

_STOPS_WITHIN = 30.0
_TICK = 0.05


def open_channel(port: int, *options: tuple[str, object]) -> grpc.Channel:
    """A connection of its own: channels to the same address would share one otherwise."""
    own = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=(*own, *options))


def unary(channel: grpc.Channel, method: str) -> Any:
    """A method with one request and one response, both as bytes."""
    return channel.unary_unary(method)


def streaming(channel: grpc.Channel, method: str) -> Any:
    """A method with a stream of requests and one of responses, all as bytes."""
    return channel.stream_stream(method)


def took(condition: Callable[[], object], at_most: float) -> float:
    """Seconds until a condition holds; `at_most` if it does not."""
    began = monotonic()
    while not condition():
        if monotonic() - began >= at_most:
            return at_most
        sleep(_TICK)
    return min(at_most, monotonic() - began)


class Service:
    """`python -m service serve`, as a process of its own."""

    def __init__(self, command: list[str], port: int, log: Path) -> None:
        """Start it.

        Args:
            command: The whole command.
            port: The port on which it is to listen.
            log: The file that collects what it prints.
        """
        self.port, self._log = port, log
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
            )

    @property
    def log(self) -> str:
        """What it has printed until now."""
        return self._log.read_text(errors="replace")

    @property
    def pids(self) -> list[int]:
        """Its processes: the one that was started first."""
        return family(self.process.pid)

    def memory(self) -> float:
        """Resident memory of all its processes, in MB."""
        return total(self.process.pid)

    def processor(self) -> float:
        """Seconds of processor time that its present processes have used."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.pids]
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def listens(self) -> bool:
        """Whether it has said that it listens."""
        return "listening on" in self.log

    def version(self, wanted: str = "") -> str:
        """The version that answers a call on a new connection; "" if there is no answer."""
        message = RecognizeRequest(pixels=PICTURE, model_version=wanted).SerializeToString()
        try:
            reply = sides.call(self.port, RECOGNIZE, message, timeout=5)
        except grpc.RpcError:
            return ""
        return RecognizeResponse.FromString(reply).model_version

    def stop(self) -> int:
        """Ask it to stop, and wait; its exit status, or that of SIGKILL if it does not stop."""
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOPS_WITHIN)
        return self.kill()

    def kill(self) -> int:
        """End what is left of it; its exit status."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


@dataclass(frozen=True)
class Arena:
    """The place of one attack.

    Attributes:
        folder: A folder of its own.
        base: The folder of a repository with a champion, which is copied rather than used.
        seconds: How long an attack that could go on for ever goes on.
    """

    folder: Path
    base: Path
    seconds: float

    def models(self, name: str = "models") -> Repository:
        """A new copy of the repository."""
        shutil.copytree(self.base, self.folder / name, symlinks=True)
        return Repository(str(self.folder / name), writable=True)

    def secret(self, name: str, content: bytes) -> Path:
        """A file that only its owner may read, written in one step, as renewals do."""
        new, file = self.folder / f"{name}.new", self.folder / name
        new.touch(0o600)
        new.write_bytes(content)
        return new.replace(file)

    def another(self, models: Repository, seed: int, *, promote: bool = True) -> int:
        """Publish a variant of the champion, and promote it unless told otherwise."""
        number = versions.another(models, models.manifest(models.champion()), seed)
        if promote:
            models.promote(number, by="attack", why="a swap")
        return number

    def start(self, repository: str, *options: object, port: int | None = None) -> Service:
        """Start a service and do not wait; the last of several equal options counts.

        Args:
            repository: What is given as `--repository`.
            options: Further options of `serve`.
            port: The port; None for a free one.
        """
        chosen = port or free_port()
        command = [sys.executable, "-m", "service", "serve", "--repository", repository, "--pretrained", "off"]
        command += ["--port", str(chosen), "--workers", "1", "--log-level", "warning", *map(str, options)]
        number = len(list(self.folder.glob("*.log")))
        return Service(command, chosen, self.folder / f"{number}.log")

    @contextmanager
    def service(self, repository: str, *options: object, port: int | None = None) -> Iterator[Service]:
        """The same, once it listens, until the block ends.

        Raises:
            ConfigError: It does not listen.
        """
        service = self.start(repository, *options, port=port)
        try:
            took(lambda: service.listens() or service.process.poll() is not None, START)
            if not service.listens():
                raise ConfigError(f"the service does not start: {service.log[-800:]}")
            yield service
        finally:
            for pid in service.pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)  # a process that an attack has stopped
            service.stop()
