"""A real browser before a real web server before a real service, which reads with the pretrained version."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.visit import SECONDS, Visit
from tests.service.harness import ROOT, Running, running, without_settings
from tests.service.web.web_harness import WebServer, web_server_for

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A browser, for the tests of one file: while it runs, no event loop can be started in this thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    from tests.browser.playwright_api import expect, sync_playwright  # imported here, as it skips what imports it

    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - without_settings(os.environ).keys():
        monkeypatch.delenv(name)


@pytest.fixture
def feedback(tmp_path: Path) -> Path:
    """The folder in which `service` collects feedback."""
    return tmp_path / "feedback"


@pytest.fixture
def service(tmp_path: Path, feedback: Path) -> Iterator[Running]:
    with running(tmp_path / "models", pretrained=str(ROOT / "pretrained"), feedback=str(feedback)) as server:
        yield server


@pytest.fixture
def web_server(service: Running) -> Iterator[WebServer]:
    with web_server_for(service.address) as server:
        yield server


@pytest.fixture
def browse(chromium) -> Iterator[Callable[..., Visit]]:
    """Open a page: `browse(web_server, color_scheme="dark")`; its console stays silent, and it asks nobody else.

    Without a path, nothing is opened yet.

    A test that provokes complaints ends with `end_with_complaints`.
    """
    with ExitStack() as stack:
        visits = []

        def begin(server: WebServer, path: str | None = "/", **options: object) -> Visit:
            context = chromium.new_context(
                **({"locale": "en-GB", "viewport": {"width": 1200, "height": 900}} | options)
            )
            stack.callback(context.close)
            visits.append(Visit(context.new_page(), server.url))
            return visits[-1].open(path) if path else visits[-1]

        yield begin
        assert [visit.complaints for visit in visits if visit.complaints] == []
        assert [visit.elsewhere() for visit in visits if visit.elsewhere()] == []


@pytest.fixture
def visit(browse, web_server) -> Visit:
    """The page on which people draw, just opened."""
    return browse(web_server)
