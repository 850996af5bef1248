"""Restarts under load: every call is answered in the end, whichever client makes it.

The server is stopped by SIGTERM and started again on the same port, while clients keep asking: ours, and a plain gRPC
client with the retry policy of gRPC's documentation, which repeats UNAVAILABLE. Both wait for a server that does not
listen yet.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic

import grpc
import numpy as np

from benchmarks import sides
from benchmarks.result import Result
from benchmarks.runner import people
from core.errors import ConfigError, NumeralError
from protos.numeral.v1.recognizer_pb2 import RecognizeRequest
from protos.numeral.v1.recognizer_pb2_grpc import RecognizerStub
from service.client import Recognizer

__all__ = ["measure"]

PATIENCE = 60.0
"""Seconds after which a call counts as lost."""

STANDARD = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""As in https://grpc.io/docs/guides/retry/"""

IMAGE = np.zeros((28, 28), np.uint8)
IMAGE[4:24, 12:16] = 255


class _Tally:
    """What became of the calls of one client, counted by several threads."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._lock = Lock()

    def count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1

    @property
    def answered(self) -> int:
        return self.outcomes["answered"]

    @property
    def lost(self) -> int:
        return self.outcomes.total() - self.answered


def measure(times: int, callers: int, workers: int, seconds: float) -> list[Result]:
    """Restart the service again and again under load.

    Args:
        times: How often.
        callers: How many threads of each client ask without pause.
        workers: The worker processes of the service.
        seconds: How long the service runs between two restarts.
    """
    port, enough = sides.free_port(), Event()
    clients = {"our client": (_ours, _Tally()), "gRPC's retry policy": (_standard, _Tally())}
    with tempfile.TemporaryDirectory(prefix="numeral-restarts-") as folder:
        service = _Service(Path(folder), port, workers)
        threads = [
            Thread(target=_ask, args=(client, port, tally, enough))
            for client, tally in clients.values()
            for _ in range(callers)
        ]
        statuses: Counter[int] = Counter()
        service.start()
        try:
            for thread in threads:
                thread.start()
            for _ in range(times):
                enough.wait(seconds)
                statuses[service.stop()] += 1
                service.start()
            enough.wait(seconds)
        finally:
            enough.set()
            for thread in filter(Thread.is_alive, threads):
                thread.join()
            service.stop()
        done = f"{times} restarts, {workers} workers, {callers} callers"
        answered = [
            Result(f"calls answered; {done}", name, tally.answered, None, "calls", None)
            for name, (_, tally) in clients.items()
        ]
        lost = [Result("calls lost", name, tally.lost, 0, "calls", None) for name, (_, tally) in clients.items()]
        for _, tally in clients.values():
            for outcome, count in tally.outcomes.most_common(4):
                if outcome != "answered":
                    people.print(f"{count} × {outcome}", style="red", markup=False)
        unclean = statuses.total() - statuses[0]
        return [*answered, *lost, Result("stops with another exit status than 0", "limit", unclean, 0, "stops", None)]


class _Service:
    """The service, started again and again on one port."""

    def __init__(self, folder: Path, port: int, workers: int) -> None:
        options = ["--repository", str(folder / "models"), "--port", str(port), "--workers", str(workers)]
        self._command = [sys.executable, "-m", "service", "serve", *options, "--log-level", "error"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens.

        Raises:
            ConfigError: It does not start.
        """
        path = os.pathsep.join([str(sides.ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, cwd=sides.ROOT, env=os.environ | {"PYTHONPATH": path}
        )
        said = self._process.stdout.readline() if self._process.stdout else b""
        if not said.startswith(b"listening"):
            self.stop()
            raise ConfigError("the service does not start; the reason is above")

    def stop(self) -> int:
        """Ask it to stop, and wait; gives the exit status. A second time, it gives 0."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        with process:
            return process.wait()


def _ask(client: Callable[[int], Iterator[Callable[[], object]]], port: int, tally: _Tally, enough: Event) -> None:
    """Make one call after the other, and count what becomes of each."""
    with contextmanager(client)(port) as call:
        while not enough.is_set():
            began = monotonic()
            try:
                call()
            except NumeralError as error:
                tally.count(str(error))
            except grpc.RpcError as error:
                tally.count(f"{error.code().name}: {error.details()} after {monotonic() - began:.1f} s")
            else:
                tally.count("answered")


def _ours(port: int) -> Iterator[Callable[[], object]]:
    with Recognizer(f"127.0.0.1:{port}", timeout=PATIENCE, wait_for_ready=True) as client:
        yield lambda: client.recognize(IMAGE)


def _standard(port: int) -> Iterator[Callable[[], object]]:
    options = [
        ("grpc.service_config", json.dumps(STANDARD)),
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),  # otherwise, all channels of this process share one connection
        ("grpc.initial_reconnect_backoff_ms", 200),  # by default, up to two minutes pass between two attempts
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    request = RecognizeRequest(pixels=IMAGE.tobytes())
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        stub = RecognizerStub(channel)  # type: ignore[no-untyped-call]
        yield lambda: stub.Recognize(request, timeout=PATIENCE, wait_for_ready=True)
