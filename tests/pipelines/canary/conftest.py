"""A stage with a champion and one further version, which the gate lets through."""

import os
import socket
from pathlib import Path

import pytest

from tests.pipelines.canary.stage import Stage
from tests.service.harness import WITHOUT_PRETRAINED
from tests.service.tiny_model import publish


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("NUMERAL_")]:
        monkeypatch.delenv(name)
    for name, value in WITHOUT_PRETRAINED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    found = Stage(tmp_path, [])
    publish(found.repository, seed=1)
    found.publish(seed=2)
    return found


@pytest.fixture
def free_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
