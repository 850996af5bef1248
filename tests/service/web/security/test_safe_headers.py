"""The headers of every response of the web server."""

import re

import pytest

from service.client import AsyncRecognizer
from service.client.connection import Connection
from service.web.application import application
from service.web.security.safe_headers import HEADERS
from service.web.upstream import Upstream

SERVICE = "127.0.0.1:1"


def _paths() -> list[tuple[str, str]]:
    """Every method and path that the application has, with something in the place of each parameter."""
    app = application(Upstream(lambda _, **more: AsyncRecognizer(SERVICE, **more), Connection.to(SERVICE)))
    found = set()
    for route in app.routes:
        path = re.sub(r"\{[^}]*\}", "1", getattr(route, "path", "/"))
        found |= {(method, path) for method in getattr(route, "methods", None) or {"GET"}}
    return sorted(found)


ELSEWHERE = [
    ("GET", "/nowhere"),
    ("GET", "/page/nowhere"),
    ("PUT", "/"),
    ("GET", "/static/x/base.css"),
    ("GET", "/%00"),
]


@pytest.fixture(scope="module")
def without_service():
    """A web server whose service does not answer: many of its responses are errors."""
    from tests.service.web.web_harness import web_server_for

    with web_server_for(SERVICE) as server:
        yield server


@pytest.mark.parametrize(("method", "path"), _paths() + ELSEWHERE)
def test_every_response_has_the_safe_headers_whatever_becomes_of_it(without_service, method, path):
    response, body = without_service.ask(method, path)
    html = (response.getheader("content-type") or "").startswith("text/html")
    expected = HEADERS | ({"Referrer-Policy": "same-origin"} if html else {})
    assert {name: response.getheader(name) for name in expected} == expected
    assert response.getheader("server") in (None, "uvicorn")  # the command leaves it out; see test_web_command
    assert response.getheader("strict-transport-security") is None
    assert response.status < 500 or b"Traceback" not in body
    if html:
        assert_nothing_inline(body.decode())


def test_a_refused_request_has_the_safe_headers(without_service):
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Content-Length": "99999999"}):
        response, _ = without_service.ask("POST", "/page/read", b"", headers)
        assert response.status in (403, 413, 421)
        assert {name: response.getheader(name) for name in HEADERS} == HEADERS


def assert_nothing_inline(page: str) -> None:
    """Assert that a page has nothing that the Content-Security-Policy forbids, and nothing from elsewhere."""
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page, re.IGNORECASE)
    scripts = re.findall(r"<script\b([^>]*)>", page)
    assert all(" src=" in script or 'type="application/json"' in script for script in scripts)
    addresses = re.findall(r"(?:src|href|action)=\"([^\"]*)\"", page)
    assert not [address for address in addresses if address.startswith(("//", "http:"))]
