"""Real servers on free ports, as a thread of this process or as a process of their own."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from core.artifact.repository import Repository
from core.inference.predict import load
from service.server.assembly import Server
from service.settings import ENV_PREFIX, OFF, read
from tests.floats import assert_same_function

ROOT = Path(__file__).resolve().parents[2]

ENDS_WITHIN = 240.0
"""Seconds in which a process ends by itself on the busiest machine; a wait that never ends fails the test."""

STROKE: NDArray[np.uint8] = np.zeros((28, 28), np.uint8)
"""A framed image, (28, 28), in which something is drawn, for tests that do not look at the answer."""
STROKE[4:24, 12:16] = 255
STROKE.flags.writeable = False

WITHOUT_PRETRAINED = {"NUMERAL_PRETRAINED": OFF}
"""For tests without any version: the checkout contains a pretrained one."""


class Running:
    """A server in a thread of this process, listening at `address`."""

    def __init__(self, repository: Path | str, **settings: object) -> None:
        self._settings = read(**({"repository": str(repository), "port": 0, "poll_seconds": 0.02} | settings))
        self._started: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="server under test")
        self._thread.start()
        self._started.result(timeout=60)

    def stop(self) -> None:
        """Ask it to stop and do not wait. A no-op when it has been asked before, or has stopped."""
        with suppress(RuntimeError):  # the event loop is closed: it has stopped
            self._loop.call_soon_threadsafe(self._leave.set)

    def end(self) -> None:
        """Stop it and wait until it has. May be called again.

        Raises:
            Exception: What it failed with, the first time.
        """
        self.stop()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the server does not stop"
        ended, self._ended = self._ended, Future()
        if ended.done():
            ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
            self._ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 — whatever it is, the test's thread raises it
            (self._ended if self._started.done() else self._started).set_exception(error)

    async def _live(self) -> None:
        self._leave, self._loop = asyncio.Event(), asyncio.get_running_loop()
        server = Server(self._settings)
        self.address = f"127.0.0.1:{await server.start()}"
        self._started.set_result(None)
        await self._leave.wait()
        await server.drain()


@contextmanager
def running(repository: Path | str, **settings: object) -> Iterator[Running]:
    """Serve from a thread until the block ends."""
    server = Running(repository, **settings)
    try:
        yield server
    finally:
        server.end()


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
        self._output = ""
        self._said: list[str] = []
        self._reader = threading.Thread(target=lambda: self._said.extend(self.popen.stderr))
        self._reader.start()

    @property
    def log(self) -> str:
        """Its standard error until now."""
        return "".join(self._said)

    def listening(self) -> str:
        """The address, once it listens; the web server's begins with http:// or https://."""
        line = self.popen.stdout.readline()
        where = line.removeprefix("listening on ")
        assert where.startswith(("127.0.0.1:", "http://127.0.0.1:", "https://127.0.0.1:")), f"{line!r}: {self.log}"
        return where.strip()

    def end(self) -> subprocess.CompletedProcess[str]:
        """Wait until it has ended by itself. May be called again, and after `kill`."""
        status = self.popen.wait(ENDS_WITHIN)
        self._reader.join()
        if not self.popen.stdout.closed:
            self._output += self.popen.stdout.read()
        return subprocess.CompletedProcess(self.popen.args, status, self._output, self.log)

    def kill(self) -> None:
        """End it, whether it has ended or not, and leave nothing of it behind. May be called again."""
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
    """The probabilities that a version computes for one image alone, without a server.

    A server that is asked for this image and nothing else computes the same product, of one row: the same bits, to
    compare with `==`. Within a batch it is another computation: see `assert_same_answer`.
    """
    return tuple(load(repository, version)[0].probabilities(pixels[np.newaxis])[0].tolist())


def assert_same_answer(found: ArrayLike, expected: ArrayLike) -> None:
    """The probabilities that a tiny model gives, up to rounding: what was computed together decides the last bits.

    A logit is a sum of 784 products and another of 16; probabilities are at most 1.
    """
    assert_same_function(found, expected, terms=784 + 16, dtype=np.float32, scale=1.0)
