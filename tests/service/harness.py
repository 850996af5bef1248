"""Real servers on free ports, as a thread of this process or as a process of their own."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from core.artifact.repository import Repository
from core.inference.predict import load
from service.server.assembly import Server
from service.settings import ENV_PREFIX, OFF, read

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_PRETRAINED = {"NUMERAL_PRETRAINED": OFF}
"""For tests without any version: the checkout contains a pretrained one."""


@dataclass
class Running:
    """A server in a thread of this process."""

    address: str
    stop: Callable[[], None]


@contextmanager
def running(repository: Path | str, **settings: object) -> Iterator[Running]:
    """Serve from a thread until the block ends."""
    started: Future[Running] = Future()

    async def live() -> None:
        leave, loop = asyncio.Event(), asyncio.get_running_loop()
        server = Server(read(**({"repository": str(repository), "port": 0, "poll_seconds": 0.02} | settings)))
        port = await server.start()
        started.set_result(Running(f"127.0.0.1:{port}", lambda: loop.call_soon_threadsafe(leave.set)))
        await leave.wait()
        await server.drain()

    def thread_of_server() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=thread_of_server)
    thread.start()
    server = started.result(timeout=30)
    try:
        yield server
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive(), "the server does not stop"


class Process:
    """`python -m service …` as a process of its own; its standard error is collected meanwhile."""

    def __init__(self, *arguments: object, env: dict[str, str], cwd: Path) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "service", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=without_settings(os.environ) | WITHOUT_PRETRAINED | {"PYTHONPATH": path} | env,
        )
        self._said: list[str] = []
        self._reader = threading.Thread(target=lambda: self._said.extend(self.popen.stderr))
        self._reader.start()

    @property
    def log(self) -> str:
        """Its standard error until now."""
        return "".join(self._said)

    def listening(self) -> str:
        """The address, once it listens."""
        line = self.popen.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), f"{line!r}; on standard error: {self.log}"
        return line.split()[-1]

    def end(self) -> subprocess.CompletedProcess[str]:
        """Wait until it has ended by itself."""
        status = self.popen.wait(60)
        self._reader.join()
        return subprocess.CompletedProcess(self.popen.args, status, self.popen.stdout.read(), self.log)

    def kill(self) -> None:
        """End it, and leave nothing of it behind."""
        self.popen.kill()
        self.popen.wait()
        self._reader.join()
        self.popen.stdout.close()
        self.popen.stderr.close()


def without_settings(environment: os._Environ[str]) -> dict[str, str]:
    """The environment without settings of the service."""
    return {name: value for name, value in environment.items() if not name.startswith(ENV_PREFIX)}


def drawing(side: int = 60) -> bytes:
    """A PNG of side × side pixels: one thick stroke, dark on light."""
    image = Image.new("L", (side, side), 255)
    ImageDraw.Draw(image).line([(side // 2, side // 5), (side // 2, side * 4 // 5)], fill=0, width=side // 10)
    return encoded(image)


def encoded(image: Image.Image) -> bytes:
    """The picture as PNG."""
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def expected(repository: Repository, version: int, pixels: np.ndarray) -> tuple[float, ...]:
    """The probabilities that a version computes, without a server."""
    return tuple(load(repository, version)[0].probabilities(pixels[np.newaxis])[0].tolist())


def eventually(condition: Callable[[], object], *, seconds: float = 15.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not true after {seconds:g} seconds"
        time.sleep(0.01)
