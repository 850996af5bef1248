"""Starting the servers to measure: ours and those of the peers, each in its own processes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from json import dumps
from pathlib import Path
from time import monotonic, sleep

import grpc
import numpy as np
from numpy.typing import NDArray

from core.artifact import weights as weights_file
from core.artifact.manifest import Manifest
from core.artifact.repository import MODEL, Repository
from core.errors import ConfigError
from protos.inference.open_inference_pb2 import ModelInferRequest

PROCESSES = 2
"""The number of processes of our service and of the bare handler."""

START = 60.0
"""Seconds within which a server has to start."""

ROOT = Path(__file__).parents[1]
PLAIN = "weights.npz"


@dataclass(frozen=True)
class Side:
    """A running server.

    Attributes:
        port: The port on which it listens, on this machine.
        pid: The id of the process that was started; it may have started others.
        seconds: The time from its start until it listened, or for our service until every process could answer.
    """

    port: int
    pid: int
    seconds: float


@contextmanager
def numeral(repository: Repository, *options: str, root: Path = ROOT) -> Iterator[Side]:
    """Our service; `options` are additional flags of `serve`, and `root` is the checkout whose code runs."""
    command = [sys.executable, "-m", "service", "serve", "--repository", repository.url, "--log-level", "error"]
    port = free_port()
    with _running(
        [*command, "--workers", str(PROCESSES), "--port", str(port), *options], port, root, said=b"listening on"
    ) as side:
        yield side


@contextmanager
def web(service: Side) -> Iterator[Side]:
    """The web server before a service."""
    port = free_port()
    command = [sys.executable, "-m", "service", "web", "--address", f"127.0.0.1:{service.port}", "--log-level", "error"]
    with _running([*command, "--port", str(port)], port, said=b"listening on") as side:
        yield side


@contextmanager
def bare(kind: str, reply: bytes) -> Iterator[Side]:
    """A handler that returns constant bytes; `kind` is asyncio or threads."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.servers.bare", str(port), str(PROCESSES), kind, reply.hex()]
    with _running(command, port) as side:
        yield side


@contextmanager
def mlserver(python: str, folder: Path, *, http: bool = False) -> Iterator[Side]:
    """MLServer, with a NumPy model in its own process, its fastest configuration for a model this small.

    Args:
        python: The Python that it is installed in.
        folder: Has the weights.
        http: Whether the side's port is that of HTTP rather than of gRPC.
    """
    port = free_port()
    ports = {"http_port" if http else "grpc_port": port, "grpc_port" if http else "http_port": free_port()}
    ports["metrics_port"] = free_port()
    settings = {"host": "127.0.0.1", "debug": False, "parallel_workers": 0, "metrics_endpoint": None} | ports
    model = {"name": MODEL, "implementation": "mlserver_model.Digits"}
    (folder / "settings.json").write_text(dumps(settings))
    (folder / "model-settings.json").write_text(dumps(model | {"parameters": {"uri": str(folder / PLAIN)}}))
    start = "from mlserver.cli import main; main()"
    with _running([python, "-c", start, "start", str(folder)], port, cwd=ROOT / "benchmarks/servers") as side:
        yield side


@contextmanager
def triton(python: str, folder: Path) -> Iterator[Side]:
    """Triton with its Python backend, as pytriton starts it."""
    port = free_port()
    script = ROOT / "benchmarks/servers/triton_model.py"
    with _running([python, str(script), str(folder / PLAIN), str(port)], port, cwd=folder) as side:
        yield side


@contextmanager
def asleep(side: Side) -> Iterator[None]:
    """Pause a server and all its processes for as long as the context lasts, because some are busy even when idle."""
    os.killpg(side.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(side.pid, signal.SIGCONT)


def interpreter(package: str) -> str | None:
    """The Python for a peer: the one that NUMERAL_BENCH_<PACKAGE> names, or this one if the peer is installed in it."""
    named = os.environ.get(f"NUMERAL_BENCH_{package.upper()}")
    return named or (sys.executable if find_spec(package) else None)


def write_plain_weights(repository: Repository, manifest: Manifest, folder: Path) -> None:
    """Write the weights of 784-128-10 to the .npz file that the peers read."""
    state = weights_file.decode(repository.read(manifest), name="for peers")
    (W1, b1), (W2, b2) = ((state[f"{layer}.dense.W"], state[f"{layer}.dense.b"]) for layer in (0, 2))
    normalizer = {name: np.float32(getattr(manifest.preprocessing, name)) for name in ("mean", "std")}
    np.savez(folder / PLAIN, W1=W1, b1=b1, W2=W2, b2=b2, **normalizer)  # type: ignore[arg-type]


def infer_request(images: NDArray[np.uint8]) -> bytes:
    """A ModelInfer request for images (N, 784), with raw contents."""
    request = ModelInferRequest(model_name=MODEL, raw_input_contents=[images.tobytes()])
    request.inputs.add(name="image", datatype="UINT8", shape=images.shape)
    return request.SerializeToString()


def call(port: int, method: str, message: bytes, timeout: float = 30) -> bytes:
    """Make one call with a gRPC client, which unlike h2load sees the gRPC status.

    Raises:
        grpc.RpcError: The call failed.
    """
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
        raw: Callable[..., bytes] = channel.unary_unary(method)  # bytes in, bytes out
        return raw(message, timeout=timeout)


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """The ids of a process and its descendants, without those that have ended in the meantime."""
    children: list[str] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):  # each thread has those that it has started
        with suppress(OSError):
            children += thread.read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def _running(command: list[str], port: int, cwd: Path = ROOT, said: bytes = b"") -> Iterator[Side]:
    """Run a server until the context ends; yields once it listens."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]) if cwd == ROOT else "."
    began = monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=cwd, env=os.environ | {"PYTHONPATH": path}, start_new_session=True
        )
        try:
            if not _comes_up(process, port, log.fileno(), said):
                log.seek(0)
                raise ConfigError(f"{' '.join(command[:4])} … does not start: {log.read()[-800:].decode()}")
            yield Side(port, process.pid, monotonic() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # processes that it left behind
            process.wait()


def _comes_up(process: subprocess.Popen[bytes], port: int, log: int, said: bytes) -> bool:
    """Whether the server accepts connections in time, and has printed `said`, if that is given."""
    deadline = monotonic() + START
    while process.poll() is None and monotonic() < deadline:
        if said in os.pread(log, 1 << 16, 0):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        sleep(0.01)
    return False
