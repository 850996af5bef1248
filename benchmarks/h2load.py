"""h2load, a client written in C, so that the client does not limit the throughput."""

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from core.errors import ConfigError

__all__ = ["Load", "framed", "load", "load_http"]


@dataclass(frozen=True)
class Load:
    """The result of a run of calls.

    Attributes:
        rate: Calls per second.
        middle: Median latency, in µs.
        p99: 99th percentile of the latency, in µs.
    """

    rate: float
    middle: float
    p99: float


def framed(message: bytes) -> bytes:
    """A message as gRPC sends it: uncompressed, after its length in four bytes."""
    return struct.pack(">BI", 0, len(message)) + message


def load(port: int, method: str, body: bytes, *, calls: int, connections: int, streams: int) -> Load:
    """Make calls as fast as they are answered.

    h2load only sees HTTP statuses, which are 200 even if gRPC reports an error. So make one call with a real gRPC
    client first.

    Args:
        port: A port of this machine.
        method: The full name of the method, e.g. `/numeral.v1.Recognizer/Recognize`.
        body: The body of each call: one or several framed messages.
        calls: The number of calls.
        connections: The number of connections.
        streams: The number of calls in flight on each connection.

    Raises:
        ConfigError: h2load is not installed, or calls failed.
    """
    headers = ["--header=content-type: application/grpc", "--header=te: trailers"]
    options = [f"--requests={calls}", f"--clients={connections}", f"--max-concurrent-streams={streams}", *headers]
    return _load(f"http://127.0.0.1:{port}{method}", body, calls, options)


def load_http(port: int, path: str, body: bytes, *, requests: int, connections: int, headers: Sequence[str]) -> Load:
    """Send requests over HTTP/1.1 as fast as they are answered, one at a time on each connection.

    Args:
        port: A port of this machine.
        path: The path.
        body: The body of each request, which is sent with POST.
        requests: The number of requests.
        connections: The number of connections.
        headers: Further headers, such as `content-type: application/json`.

    Raises:
        ConfigError: h2load is not installed, or requests failed.
    """
    options = ["--h1", f"--requests={requests}", f"--clients={connections}", *(f"--header={each}" for each in headers)]
    return _load(f"http://127.0.0.1:{port}{path}", body, requests, options)


def _load(url: str, body: bytes, calls: int, options: Sequence[str]) -> Load:
    program = shutil.which("h2load")
    if program is None:
        raise ConfigError("h2load is not installed, and makes the load: apt-get install nghttp2-client")
    with tempfile.TemporaryDirectory(prefix="numeral-h2load-") as folder:
        data, log = Path(folder, "body"), Path(folder, "log")
        data.write_bytes(body)
        command = [program, *options, f"--data={data}", f"--log-file={log}", url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
        if found is None or f" {calls} succeeded" not in done.stdout:
            raise ConfigError(f"h2load: calls of {url} failed: {done.stdout[-600:]}{done.stderr[-200:]}")
        times = [int(line.split("\t")[2]) for line in log.read_text().splitlines()]  # start, status, µs
    return Load(float(found[1]), median(times), quantiles(times, n=100)[98])
