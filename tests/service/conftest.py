"""Servers, commands and repositories for the tests; each test has its own."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from core.artifact.repository import Repository
from service.client import Recognizer
from tests.service.harness import ROOT, WITHOUT_PRETRAINED, Process, Running, drawing, running, without_settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - without_settings(os.environ).keys():
        monkeypatch.delenv(name)
    for name, value in WITHOUT_PRETRAINED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the repository is, or will be."""
    return tmp_path / "models"


@pytest.fixture
def repository(folder: Path) -> Repository:
    """The repository in `folder`, to publish in; it is empty."""
    return Repository(str(folder), writable=True)


@pytest.fixture
def pixels() -> np.ndarray:
    """(28, 28) uint8: noise, for which random networks give different answers."""
    return np.random.default_rng(7).integers(0, 256, (28, 28), np.uint8)


@pytest.fixture
def png() -> bytes:
    return drawing()


@pytest.fixture
def free_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Start a server: `serve(folder, **settings)`; it stops when the test ends."""
    with ExitStack() as stack:
        yield lambda repository, **settings: stack.enter_context(running(repository, **settings))


@pytest.fixture
def connect(serve: Callable[..., Running]) -> Iterator[Callable[..., Recognizer]]:
    """Connect to an address; the connection is closed when the test ends, before its server stops."""
    with ExitStack() as stack:
        yield lambda address, **options: stack.enter_context(Recognizer(address, **options))


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Process]]:
    """Start `python -m service …`: `start("serve", "--port", 0, env={…})`."""
    temporary = {"TMPDIR": str(tmp_path_factory.mktemp("run"))}  # processes that are killed leave files there
    with ExitStack() as stack:

        def begin(*arguments: object, env: dict[str, str] | None = None, cwd: Path = ROOT) -> Process:
            process = Process(*arguments, env=temporary | (env or {}), cwd=cwd)
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def run(start: Callable[..., Process]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m service …` to its end."""
    return lambda *arguments, **options: start(*arguments, **options).end()
