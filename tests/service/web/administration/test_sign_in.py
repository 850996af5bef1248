"""Signing in to the pages for administrators, with a real service that asks for tokens."""

import logging

import pytest

from tests.patience import eventually
from tests.service.tiny_model import publish
from tests.service.web.administration.conftest import ADMIN, PREDICT, Browser

PRIVATE = ["/models", "/models/1", "/models/1/report", "/models/pin?version=1", "/feedback"]


@pytest.mark.parametrize("path", PRIVATE)
def test_a_page_for_administrators_leads_to_the_sign_in_and_back(browser, path):
    assert browser.get(path) == 303
    assert browser.place.startswith("/sign-in?next=")
    assert browser.get(browser.place) == 200
    assert browser.post("/sign-in", browser.hidden() | {"token": ADMIN}) == 303
    assert browser.place == path


@pytest.mark.parametrize("token", ["", "x", PREDICT, ADMIN[:-1], "ü" * 20, "a b", "a\nb", "x" * 10_000, "x" * 60_000])
def test_whatever_is_not_the_token_of_an_administrator_is_refused_alike(browser, open_browser, token):
    wrong = open_browser()
    assert (wrong.sign_in("wrong-" + "c" * 20), browser.sign_in(token)) == (403, 403)
    assert not any("session" in name for name in browser.cookies)

    def without_key(text: str, of: Browser) -> str:
        return text.replace(of.hidden()["key"], "")

    assert without_key(browser.text, browser) == without_key(wrong.text, wrong)
    assert browser.get("/models") == 303


def test_the_cookie_of_a_session_is_for_this_server_alone(browser):
    browser.sign_in()
    (line,) = [line for line in browser.set_cookies if "session" in line]
    parts = {part.strip().lower() for part in line.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not any(part.startswith("domain") for part in parts)
    assert line.startswith("numeral_session=")


def test_signing_in_gives_a_new_id_whatever_the_browser_brings(browser):
    browser.cookies["numeral_session"] = planted = "A" * 43
    browser.sign_in()
    assert browser.cookies["numeral_session"] != planted
    first = browser.cookies["numeral_session"]
    browser.get("/models")
    browser.post("/sign-out", {"csrf": browser.csrf})
    browser.cookies["numeral_session"] = first
    assert browser.get("/models") == 303, "the id of a session that has ended is worth nothing"


def test_signing_in_again_ends_the_session_before(browser):
    browser.get("/sign-in")
    fields = browser.hidden() | {"token": ADMIN}
    browser.post("/sign-in", fields)
    first = browser.cookies["numeral_session"]
    browser.post("/sign-in", fields)
    assert browser.cookies["numeral_session"] != first
    assert browser.get("/models") == 200
    browser.cookies["numeral_session"] = first
    assert browser.get("/models") == 303


def test_after_five_attempts_the_next_one_waits(browser):
    assert [browser.sign_in("wrong-" + "c" * 20) for _ in range(5)] == [403] * 5
    assert browser.sign_in(ADMIN) == 429
    assert 1 <= int(browser.response.headers["Retry-After"]) <= 12
    assert "session" not in str(browser.set_cookies)


def test_the_form_for_signing_in_is_taken_from_the_browser_that_asked_for_it_alone(browser, open_browser):
    other = open_browser()
    other.get("/sign-in")
    browser.get("/sign-in")
    assert browser.post("/sign-in", {"token": ADMIN}) == 403
    assert browser.post("/sign-in", {"token": ADMIN, "key": other.hidden()["key"]}) == 403
    browser.get("/sign-in")
    fields = browser.hidden()
    browser.cookies.clear()
    assert browser.post("/sign-in", fields | {"token": ADMIN}) == 403


@pytest.mark.parametrize("path", ["/models/pin", "/feedback", f"/feedback/{'0' * 64}/discard", "/sign-out"])
@pytest.mark.parametrize("csrf", [None, "", "wrong"])
def test_a_form_without_what_the_session_gave_it_does_nothing(admin, path, csrf):
    fields = {"version": "1", "action": "discard", "item": "0" * 64, "sure": "1"}
    assert admin.post(path, fields if csrf is None else fields | {"csrf": csrf}) == 403
    assert admin.get("/models") == 200


def test_a_form_of_another_session_does_nothing(admin, open_browser):
    other = open_browser()
    other.sign_in()
    other.get("/models")
    assert admin.post("/models/pin", {"version": "1", "csrf": other.csrf}) == 403


def test_what_another_site_makes_a_browser_send_does_nothing(admin):
    assert admin.post("/models/pin", {"version": "1", "csrf": admin.csrf}, **{"Sec-Fetch-Site": "cross-site"}) == 403


def test_signing_out_ends_the_session_and_says_so(admin):
    session = admin.cookies["numeral_session"]
    assert admin.post("/sign-out", {"csrf": admin.csrf}) == 303
    assert "numeral_session" not in admin.cookies
    admin.get(admin.place)
    assert "You are signed out." in admin.text
    admin.cookies["numeral_session"] = session
    assert admin.get("/models") == 303


def test_a_token_that_is_replaced_signs_its_administrator_out_and_says_why(admin, tokens_file):
    new = "admin-" + "n" * 20
    tokens_file.write_text(f"admin:{new}\npredict:{PREDICT}\n")
    session = admin.cookies["numeral_session"]
    eventually(lambda: admin.get("/models") == 303)
    assert "why=refused" in admin.place
    assert "numeral_session" not in admin.cookies
    admin.get(admin.place)
    assert "no longer accepts the token" in admin.text
    admin.cookies["numeral_session"] = session
    admin.get("/models")
    assert "why=ended" in admin.place, "the session has really ended"
    assert admin.sign_in(new) == 303
    assert admin.get("/models") == 200


def test_a_token_that_loses_its_role_signs_its_administrator_out(admin, tokens_file):
    tokens_file.write_text(f"predict:{ADMIN}\npredict:{PREDICT}\n")
    eventually(lambda: admin.get("/feedback") == 303)
    assert "why=refused" in admin.place


def test_a_script_whose_session_has_ended_gets_json(browser):
    assert browser.get("/feedback", Accept="application/json") == 401
    assert browser.text.startswith('{"error":"You are no longer signed in.')


@pytest.mark.parametrize("after", ["//example.org", "https://example.org/models", "/\\example.org", "/models\r\nX: y"])
def test_signing_in_leads_to_no_other_site(browser, after):
    assert browser.sign_in(after=after) == 303
    assert browser.place == "/models"
    browser.get("/sign-in?next=//example.org")
    assert (browser.response.status, browser.place) == (303, "/models")


def test_the_token_is_in_no_page_no_header_and_no_log(browser, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    for token in ("wrong-" + "c" * 20, ADMIN):
        browser.sign_in(token)
        seen += [browser.text, str(browser.response.headers.items()), str(browser.cookies)]
    for path in (*PRIVATE, "/", "/sign-in", "/nothing"):
        browser.get(path)
        seen += [browser.text, str(browser.response.headers.items())]
    seen += [caplog.text, *(str(vars(record)) for record in caplog.records if not record.name.startswith("asyncio"))]
    for token in (ADMIN, "wrong-" + "c" * 20):
        assert not any(token in text for text in seen)


def test_pages_for_administrators_are_kept_by_nobody(admin):
    for path in (*PRIVATE, "/nothing", "/"):
        admin.get(path)
        assert admin.response.headers["Cache-Control"] == "no-store"


def test_a_service_that_is_down_is_no_reason_to_sign_out(admin, guarded):
    guarded.end()
    assert admin.get("/models") in (503, 504)
    assert "numeral_session" in admin.cookies
    assert "127.0.0.1" not in admin.text or "cannot be reached" in admin.text


def test_a_token_cannot_be_checked_while_the_service_is_down_and_its_address_is_not_shown(browser, guarded):
    guarded.end()
    assert browser.get("/sign-in") == 503
    assert guarded.address not in browser.text
    assert browser.sign_in() in (503, 504)
    assert guarded.address not in browser.text


@pytest.fixture
def unguarded(repository, folder, serve, serve_web) -> Browser:
    """A browser before a service without tokens."""
    publish(repository, seed=1)
    return Browser(serve_web(serve(folder).address))


def test_a_service_without_tokens_asks_for_none_at_its_own_machine(unguarded):
    assert unguarded.get("/sign-in?next=/models/1") == 200
    assert 'type="password"' not in unguarded.text
    assert unguarded.post("/sign-in", unguarded.hidden()) == 303
    assert unguarded.place == "/models/1"
    assert unguarded.get("/models") == 200
    assert unguarded.post("/models/pin", {"version": "1"}) == 403, "forms are guarded all the same"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_service_without_tokens_is_administered_by_nobody_behind_a_proxy(unguarded, header):
    unguarded.get("/sign-in")
    fields = unguarded.hidden()
    assert unguarded.post("/sign-in", fields, **{header: "192.0.2.1"}) == 403
    assert "numeral_session" not in unguarded.cookies
    assert unguarded.get("/sign-in", **{header: "192.0.2.1"}) == 403
    assert "--tokens-file" in unguarded.text


def test_a_session_of_a_service_without_tokens_ends_when_the_service_gets_some(
    unguarded, repository, folder, serve, serve_web, tokens_file, free_port
):
    service = serve(folder, port=free_port)
    browser = Browser(serve_web(service.address))
    browser.get("/sign-in")
    browser.post("/sign-in", browser.hidden())
    assert browser.get("/models") == 200
    service.end()
    serve(folder, port=free_port, tokens_file=str(tokens_file))
    eventually(lambda: browser.get("/models") == 303)
    assert "why=refused" in browser.place
