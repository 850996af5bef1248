"""Web servers for the tests, each before a service of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.service.harness import Running
from tests.service.tiny_model import publish
from tests.service.web.web_harness import WebServer, web_server_for


@pytest.fixture
def serve_web(serve: Callable[..., Running]) -> Iterator[Callable[..., WebServer]]:
    """Start a web server: `serve_web(address, token=…)`; it stops when the test ends, before the service does."""
    with ExitStack() as stack:
        yield lambda service, **settings: stack.enter_context(web_server_for(service, **settings))


@pytest.fixture
def service(repository, folder, serve) -> Running:
    """A service with one version, the champion, "1"."""
    publish(repository, seed=1)
    return serve(folder)


@pytest.fixture
def web_server(service, serve_web) -> WebServer:
    """A web server before `service`; both need no token."""
    return serve_web(service.address)
