"""Browsers without a screen, for the pages of administrators, before a service that asks for tokens."""

import http.client
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.service.harness import Running
from tests.service.tiny_model import publish
from tests.service.web.web_harness import WebServer

ADMIN, PREDICT = "admin-" + "a" * 20, "predict-" + "b" * 20


class Browser:
    """Keeps cookies, follows no redirect, and fills in the hidden fields of forms.

    Attributes:
        response: The last response.
        text: Its body.
    """

    def __init__(self, server: WebServer) -> None:
        self._server = server
        self.cookies: dict[str, str] = {}
        self.response: http.client.HTTPResponse
        self.text = ""
        self.set_cookies: list[str] = []

    def get(self, path: str, **headers: str) -> int:
        """Open a page; gives its status."""
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str | list[str]], **headers: str) -> int:
        """Send a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
        return self._ask("POST", path, urlencode(fields, doseq=True), headers)

    def sign_in(self, token: str = ADMIN, after: str = "/models") -> int:
        """Go to the page for signing in, and send its form."""
        self.get(f"/sign-in?{urlencode({'next': after})}")
        return self.post("/sign-in", self.hidden() | {"token": token})

    def hidden(self) -> dict[str, str]:
        """The hidden fields of the last form in the page."""
        form = self.text[self.text.rindex("<form") :]
        return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))

    @property
    def csrf(self) -> str:
        """What forms of the last page carry."""
        return re.search(r'name="csrf" value="([^"]+)"', self.text)[1]

    @property
    def place(self) -> str:
        """Where the last response leads."""
        return self.response.headers["Location"]

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> int:
        if self.cookies:
            headers = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        self.response, data = self._server.ask(method, path, body, headers)
        self.text = data.decode()
        self.set_cookies = self.response.headers.get_all("Set-Cookie") or []
        for line in self.set_cookies:
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line or value in ("", '""'):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return self.response.status


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    """A tokens file with one token of each role, which nobody else can read."""
    file = tmp_path / "tokens"
    file.touch(0o600)
    file.write_text(f"admin:{ADMIN}\npredict:{PREDICT}\n")
    return file


@pytest.fixture
def guarded(repository, folder, serve, tokens_file, tmp_path) -> Running:
    """A service with two versions, the second one the champion, that asks for tokens and collects feedback."""
    for seed in (1, 2):
        publish(repository, seed=seed)
    return serve(folder, tokens_file=str(tokens_file), feedback=str(tmp_path / "feedback"))


@pytest.fixture
def pages(guarded, serve_web) -> WebServer:
    """A web server before `guarded`, with a token for predictions."""
    return serve_web(guarded.address, token=PREDICT)


@pytest.fixture
def open_browser(pages) -> Callable[[], Browser]:
    """Open another browser at `pages`."""
    return lambda: Browser(pages)


@pytest.fixture
def browser(open_browser) -> Browser:
    """A browser at `pages`."""
    return open_browser()


@pytest.fixture
def admin(browser) -> Browser:
    """The same, signed in, with the list of models open."""
    assert browser.sign_in() == 303
    browser.get("/models")
    return browser
