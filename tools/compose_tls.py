"""The profile `tls`: who is let in, and that certificates and tokens are replaced while calls go on."""

import os
import re
import ssl
from pathlib import Path

import httpx
from compose_basics import DIGIT, PICTURE
from compose_page import follow
from compose_project import ADDRESS, ROOT, calls_from_outside, compose, containers, wait_for
from compose_report import Part, Probe

from core.errors import NumeralError
from service.client import Recognizer

SECRETS = Path(os.environ.get("NUMERAL_SECRETS", "secrets"))
AUTHORITY = SECRETS / "web/ca.pem"
PAGE = f"https://localhost:{os.environ.get('NUMERAL_WEB_TLS_PORT', '8443')}"
PREFECT = f"https://localhost:{os.environ.get('NUMERAL_PREFECT_TLS_PORT', '4243')}"
PORTS = tuple(int(address.rpartition(":")[2]) for address in (ADDRESS, PAGE, PREFECT))
CLEAR = {int(os.environ.get("NUMERAL_WEB_PORT", "8080")), int(os.environ.get("NUMERAL_PREFECT_PORT", "4200"))}


def let_in(probe: Probe) -> None:
    """Only who has a token, and speaks TLS, is answered by the service; a password is asked for Prefect's pages."""
    digit = _digit(token=_token())
    probe.check(digit == DIGIT, "with TLS and a token, the service answers", digit)
    for words, options in {
        "without a token": {"tls": AUTHORITY},
        "with a wrong token": {"tls": AUTHORITY, "token": "0" * 64},
        "without TLS": {},
        "by who trusts other authorities": {"tls": True, "token": _token()},
    }.items():
        probe.check(_refuses(options), f"{words}, the service does not answer")
    with httpx.Client(verify=ssl.create_default_context(cafile=AUTHORITY)) as browser:
        page = browser.get(PAGE)
        probe.check(page.status_code == 200 and "<main" in page.text, f"the page is served at {PAGE}", page.status_code)
        read = _read(browser)
        probe.check(
            read.json().get("digit") == DIGIT, "the page reads a picture, with the token of its server", read.text
        )
        password = (SECRETS / "prefect-password").read_text("utf-8").strip()
        refused = [browser.get(f"{PREFECT}{path}").status_code for path in ("/", "/api/health", "/api/admin/version")]
        probe.check(refused == [401] * 3, "Prefect's pages and API ask for a password", refused)
        wrong = browser.get(PREFECT, auth=("prefect", "wrong")).status_code
        probe.check(wrong == 401, "a wrong password is refused", wrong)
        pages = browser.get(PREFECT, auth=("prefect", password), follow_redirects=True)
        probe.check("<html" in pages.text.lower(), "with the password, the pages are served", pages.status_code)
        found = browser.post(f"{PREFECT}/api/deployments/filter", json={}, auth=("prefect", password)).json()
        probe.check(len(found) == 1, "and the API knows the schedule", found)
        told = browser.get(f"{PREFECT}/ui-settings", auth=("prefect", password)).text
        probe.check(f":{PORTS[2]}/api" in told, "browsers are told the address of the proxy", told[:300])
    ports = {port["PublishedPort"] for state in containers().values() for port in state["Publishers"] or ()}
    good = set(PORTS) <= ports and not ports & CLEAR
    probe.check(good, "neither the page nor Prefect is published in clear text", ports)


def renew_the_certificate(probe: Probe) -> None:
    """A renewed certificate is shown to new connections, and no call fails."""
    before = {port: _shown(port) for port in PORTS}
    with calls_from_outside(ROOT / PICTURE, tls=AUTHORITY, token=_token()) as calls:
        follow("Renew the certificate", SECRETS.parent)
        if "balancer" in containers():
            compose("kill", "--signal", "HUP", "balancer")
        for port in PORTS:
            wait_for(lambda port=port: _shown(port) != before[port], f"port {port} shows the new certificate")
        reached = len(calls.versions)
        wait_for(lambda: len(calls.versions) > reached + 20, "calls go on")
    probe.check(len({_shown(port) for port in PORTS}) == 1, "all three ports show the renewed certificate")
    probe.check(not calls.failures, f"none of {len(calls.versions)} calls failed meanwhile", calls.failures[:3])
    probe.check(_digit(token=_token()) == DIGIT, "a new client accepts it")


def replace_a_token(probe: Probe) -> None:
    """The new token is accepted before the old one is refused."""
    old = _token()
    follow("Replace a token", SECRETS.parent)
    new = _token()
    probe.check(new != old, "the page's server has another token")
    wait_for(lambda: not _refuses({"tls": AUTHORITY, "token": new}), "the new token is accepted")
    probe.check(_digit(token=old) == DIGIT, "the old token is still accepted")
    with calls_from_outside(ROOT / PICTURE, tls=AUTHORITY, token=new) as calls:
        follow("Remove the old token", SECRETS.parent)
        wait_for(lambda: _refuses({"tls": AUTHORITY, "token": old}), "the old token is refused")
        reached = len(calls.versions)
        wait_for(lambda: len(calls.versions) > reached + 20, "calls go on")
    probe.check(
        not calls.failures, f"none of {len(calls.versions)} calls with the new token failed", calls.failures[:3]
    )
    with httpx.Client(verify=ssl.create_default_context(cafile=AUTHORITY)) as browser:
        read = wait_for(lambda: (reply := _read(browser)).status_code == 200 and reply, "the page reads pictures")
    probe.check(
        read.json().get("digit") == DIGIT, "the page reads a picture, with the new token of its server", read.text
    )
    admin = (SECRETS / "admin-token").read_text("utf-8").strip()
    with Recognizer(ADDRESS, tls=AUTHORITY, token=admin) as client:
        serving = client.versions().serving
    probe.check(bool(serving), "the administrator's token is as before", serving)


def _token() -> str:
    return (SECRETS / "web/token").read_text("utf-8")


def _digit(**options: str) -> int | None:
    with Recognizer(ADDRESS, tls=AUTHORITY, **options) as client:
        return client.recognize(ROOT / PICTURE).digit


def _refuses(options: dict[str, object]) -> bool:
    try:
        with Recognizer(ADDRESS, timeout=5, **options) as client:
            client.recognize(ROOT / PICTURE)
    except NumeralError:
        return True
    return False


def _read(browser: httpx.Client) -> httpx.Response:
    picture = (ROOT / PICTURE).read_bytes()
    return browser.post(f"{PAGE}/page/read", content=picture, headers={"Content-Type": "image/png", "Origin": PAGE})


def _shown(port: int) -> str:
    return re.sub(r"\s", "", ssl.get_server_certificate(("127.0.0.1", port), timeout=10))


PARTS: list[Part] = [
    ("Who is let in", let_in),
    ("The certificate is renewed while calls come from outside", renew_the_certificate),
    ("A token is replaced while calls come from outside", replace_a_token),
]
