"""The names under which the server answers, and the pages that may send something to it."""

import pytest
from starlette.middleware import Middleware

from service.web.security.cross_site import CrossSite
from service.web.security.hosts import Hosts, authority
from service.web.security.limits import ANY_HOST, LOOPBACK_NAMES, hosts_named
from tests.service.web.security.guarded import everything, guarded


@pytest.fixture(scope="module")
def server():
    names = hosts_named(["Numeral.example.org"], loopback=True)
    with guarded(Middleware(Hosts, names), Middleware(CrossSite)) as running:
        yield running


@pytest.mark.parametrize(
    ("names", "loopback", "hosts"),
    [
        ([], True, LOOPBACK_NAMES),
        ([], False, {ANY_HOST}),
        (["A.example."], True, LOOPBACK_NAMES | {"a.example"}),
        (["a.example"], False, LOOPBACK_NAMES | {"a.example"}),
        ([ANY_HOST], True, LOOPBACK_NAMES | {ANY_HOST}),
    ],
)
def test_a_server_for_this_machine_alone_has_its_names_alone(names, loopback, hosts):
    assert hosts_named(names, loopback=loopback) == hosts


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "numeral.example.org", "numeral.example.org.:443"],
)
def test_a_request_to_one_of_its_names_is_answered(server, host):
    assert server.ask("GET", "/page/measure", headers={"Host": host})[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8080", "127.0.0.2", "", "a b", "localhost:x",
     "user@localhost", "localhost/", "[::1", "1" * 5000],
)  # fmt: skip
def test_a_request_to_another_name_is_refused(server, host):
    status, _, found = server.ask("GET", "/page/measure", headers={"Host": host})
    assert (status, found["kind"]) == (421, "HostError")
    assert len(found["error"]) < 300


@pytest.mark.parametrize("heads", [b"", b"Host: localhost\r\nHost: evil.example\r\n"], ids=["none", "two"])
def test_a_request_without_a_name_or_with_two_is_refused(server, heads):
    with server.connect() as connection:
        connection.sendall(b"GET /page/measure HTTP/1.0\r\n" + heads + b"\r\n")
        assert everything(connection).split()[1] in (b"421", b"400")


SAME, CROSS = 200, 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, SAME),  # no browser
        ({"Origin": "http://localhost:8080"}, SAME),
        ({"Origin": "https://localhost:8080"}, SAME),  # a proxy ends TLS
        ({"Origin": "http://LOCALHOST:8080"}, SAME),
        ({"Origin": "http://localhost:8081"}, CROSS),
        ({"Origin": "http://localhost"}, CROSS),
        ({"Origin": "http://evil.example"}, CROSS),
        ({"Origin": "http://evil.example:8080"}, CROSS),
        ({"Origin": "null"}, CROSS),
        ({"Origin": ""}, CROSS),
        ({"Origin": "http://localhost:8080@evil.example"}, CROSS),
        ({"Origin": "ftp://localhost:8080"}, CROSS),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, SAME),  # what some browsers send with forms
        ({"Sec-Fetch-Site": "none"}, SAME),
        ({"Sec-Fetch-Site": "same-site"}, CROSS),
        ({"Sec-Fetch-Site": "cross-site"}, CROSS),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8080"}, CROSS),
    ],
)
def test_only_a_page_of_this_server_may_send_something(server, headers, status):
    sent = {"Host": "localhost:8080"} | headers
    assert server.ask("POST", "/page/measure", b"x", sent)[0] == status
    assert server.ask("GET", "/page/measure", headers=sent)[0] == 200, "a link from elsewhere may lead here"
    assert server.ask("POST", "/v2/measure", b"x", sent)[0] == status


def test_a_port_that_goes_without_saying_may_be_said(server):
    for origin in ("https://numeral.example.org", "https://numeral.example.org:443"):
        headers = {"Host": "numeral.example.org", "Origin": origin}
        assert server.ask("POST", "/page/measure", b"x", headers)[0] == 200


@pytest.mark.parametrize("text", ["", ":80", "a:b", "a:123456", "a/b", "[]", "a\n", "ａ", "a,b"])
def test_what_is_no_name_has_none(text):
    assert authority(text) is None
