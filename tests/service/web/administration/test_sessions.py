"""Who is signed in: how long a session lasts, and what it gives away."""

import pytest
from starlette.requests import Request
from starlette.responses import Response

from service.web.administration.attempts import IN_ALL, PER_PEER, Attempts
from service.web.administration.cookies import session_name, set_session
from service.web.administration.return_path import HOME, return_path, sign_in_path
from service.web.administration.sessions import IDLE_SECONDS, LONGEST_SECONDS, MOST_SESSIONS, Sessions

TOKEN = "the-admin-token-of-a-test"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock) -> Sessions:
    return Sessions(clock)


def test_a_session_is_found_by_its_id_alone(sessions):
    name = sessions.begin(TOKEN, open_service=False)
    assert sessions.find(name).token == TOKEN
    assert sessions.find(name[:-1]) is None
    assert sessions.find("") is None


def test_a_session_that_is_not_used_ends_after_an_hour(sessions, clock):
    name = sessions.begin(TOKEN, open_service=False)
    clock.now += IDLE_SECONDS - 1
    assert sessions.find(name)
    clock.now += IDLE_SECONDS - 1
    assert sessions.find(name), "each use gives another hour"
    clock.now += IDLE_SECONDS
    assert sessions.find(name) is None
    assert len(sessions) == 0


def test_a_session_that_is_used_ends_after_twelve_hours(sessions, clock):
    name = sessions.begin(TOKEN, open_service=False)
    for _ in range(int(LONGEST_SECONDS / 1800) - 1):
        clock.now += 1800
        assert sessions.find(name)
    clock.now += 1800
    assert sessions.find(name) is None


def test_beyond_the_limit_the_one_that_was_not_used_for_longest_ends(sessions, clock):
    names = []
    for _ in range(MOST_SESSIONS):
        names.append(sessions.begin(TOKEN, open_service=False))
        clock.now += 0.001
    sessions.find(names[0])
    another = sessions.begin(TOKEN, open_service=False)
    assert len(sessions) == MOST_SESSIONS
    assert sessions.find(names[1]) is None
    assert sessions.find(names[0])
    assert sessions.find(another)


def test_sessions_that_have_ended_are_forgotten_when_another_begins(sessions, clock):
    for _ in range(10):
        sessions.begin(TOKEN, open_service=False)
    clock.now += IDLE_SECONDS
    sessions.begin(TOKEN, open_service=False)
    assert len(sessions) == 1


def test_what_is_kept_shows_neither_the_token_nor_what_forms_carry(sessions):
    name = sessions.begin(TOKEN, open_service=False)
    session = sessions.find(name)
    assert TOKEN not in repr(session)
    assert session.csrf not in repr(session)
    assert name not in repr(vars(sessions)), "only its digest is kept"


def test_a_session_permits_the_forms_of_its_own_pages_alone(sessions):
    one, other = (sessions.find(sessions.begin(TOKEN, open_service=False)) for _ in range(2))
    assert one.permits(one.csrf)
    assert not one.permits(other.csrf)
    assert not one.permits("")
    assert not one.permits("\ud800ß")


def test_one_address_may_try_five_times_a_minute(clock):
    attempts = Attempts(clock)
    peer = ("192.0.2.1", 40_000)
    assert [attempts.count(peer) for _ in range(PER_PEER)] == [0] * PER_PEER
    assert 0 < attempts.count(("192.0.2.1", 40_001)) <= 60 / PER_PEER
    assert attempts.count(("192.0.2.2", 40_000)) == 0
    clock.now += 60 / PER_PEER
    assert attempts.count(peer) == 0
    assert attempts.count(peer) > 0


def test_the_addresses_of_one_ipv6_network_count_together(clock):
    attempts = Attempts(clock)
    for k in range(PER_PEER):
        assert attempts.count((f"2001:db8::{k + 1:x}", 1)) == 0
    assert attempts.count(("2001:db8::ffff", 1)) > 0
    assert attempts.count(("2001:db8:0:1::1", 1)) == 0


def test_all_addresses_together_may_try_no_more_than_the_limit_for_all(clock):
    attempts = Attempts(clock)
    peers = [(f"192.0.2.{k}", 1) for k in range(IN_ALL + 1)]
    assert [attempts.count(peer) for peer in peers[:-1]] == [0] * IN_ALL
    assert attempts.count(peers[-1]) > 0


def test_what_one_address_tries_in_vain_takes_nothing_from_the_others(clock):
    attempts = Attempts(clock)
    for _ in range(1000):
        attempts.count(("192.0.2.1", 1))
    assert attempts.count(("192.0.2.2", 1)) == 0


@pytest.mark.parametrize(
    "path",
    ["/models", "/models/3", "/models?all=1", "/models/3/report", "/feedback?show=trouble&page=ab"],
)
def test_signing_in_leads_to_the_page_that_was_asked_for(path):
    assert return_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "models",
        "//example.org",
        "//example.org/models",
        "/\\example.org",
        "\\\\example.org",
        "https://example.org/models",
        "https:/models",
        "/models\\..\\..",
        "/models/\r\nSet-Cookie: a=b",
        "/models/\t",
        " /models",
        "/modelsx",
        "/models@example.org",
        "/models.example.org",
        "javascript:alert(1)",
        "/sign-in",
        "/",
        "/models/" + "a" * 2000,
        "/models/ü",
    ],
)
def test_signing_in_leads_nowhere_else(path):
    assert return_path(path) == HOME


def test_the_page_that_was_asked_for_is_quoted_in_the_path_to_sign_in():
    assert sign_in_path("/feedback?show=all&page=1", "ended") == (
        "/sign-in?next=/feedback%3Fshow%3Dall%26page%3D1&why=ended"
    )


@pytest.mark.parametrize(
    ("scheme", "name", "secure"), [("http", "numeral_session", False), ("https", "__Host-numeral_session", True)]
)
def test_over_tls_the_cookie_has_a_name_that_browsers_take_from_this_host_alone(scheme, name, secure):
    scope = {"type": "http", "scheme": scheme, "server": ("example.org", 443), "path": "/", "headers": []}
    response = Response()
    set_session(response, Request(scope), "A" * 43)
    line = response.headers["Set-Cookie"]
    assert line.startswith(f"{name}={'A' * 43};")
    assert ("secure" in line.lower().split("; ")) is secure
    assert session_name(Request(scope | {"headers": [(b"cookie", f"{name}={'A' * 43}".encode())]})) == "A" * 43
    assert session_name(Request(scope | {"headers": [(b"cookie", f"{name}=<script>".encode())]})) == ""
