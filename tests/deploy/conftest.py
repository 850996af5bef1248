"""Every overlay, and servers to try the probes on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.deploy.cluster import Cluster, overlay
from tests.deploy.kustomized import OVERLAYS


@pytest.fixture(params=OVERLAYS, ids=lambda folder: folder.name)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """What an overlay would create, for each overlay."""
    return overlay(request.param)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes at the end of the test what it has entered."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def unused_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
