"""A bucket on this machine: moto's server, a process of its own, whose access log says what was asked of it."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

from benchmarks.sides import START, free_port
from core.errors import ConfigError

__all__ = ["Bucket", "bucket"]

NAME = "fleet"

LISTING = b"list-type=2"
"""What each request for a list of objects has in its address; an answer has at most 1,000 objects."""


class Bucket:
    """The bucket.

    Attributes:
        url: As `--repository` takes it.
    """

    def __init__(self, log: Path) -> None:
        self.url = f"s3://{NAME}"
        self._log = log

    def listings(self) -> int:
        """How many requests for a list it has answered."""
        return sum(LISTING in line for line in self._log.read_bytes().splitlines())


@contextmanager
def bucket() -> Iterator[Bucket]:
    """Run one until the block ends; meanwhile, the environment names its endpoint and keys.

    Raises:
        ConfigError: moto is not installed, or does not start.
    """
    if find_spec("moto") is None:
        raise ConfigError(
            "the bucket is moto's server, which is not installed: pip install 'moto[s3,server]', or leave it out: "
            "--case folder"
        )
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="numeral-bucket-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file, _environment(port):
            command = [sys.executable, "-m", "moto.server", "--port", str(port)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
            try:
                _create(port, process, log)
                yield Bucket(log)
            finally:
                process.kill()  # it holds nothing that is to be kept
                process.wait()


def _create(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Create the bucket as soon as the server answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{NAME}", method="PUT")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = monotonic() + START
    while process.poll() is None and monotonic() < deadline:
        with suppress(OSError), direct.open(request, timeout=5):
            return
        sleep(0.05)
    raise ConfigError(f"moto's server does not start: {log.read_text()[-800:]}")


@contextmanager
def _environment(port: int) -> Iterator[None]:
    variables = {
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "no_proxy": "127.0.0.1",
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
