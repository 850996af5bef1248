"""The pages for administrators in a real browser: signing in, versions, and the gallery of feedback by keyboard."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from core.artifact.repository import Repository
from core.feedback import FeedbackFolder
from service.client import AccessError, Recognizer
from tests.browser.axe import violations
from tests.browser.playwright_api import expect
from tests.patience import eventually
from tests.service.harness import ROOT, STROKE, Running, running
from tests.service.tiny_model import publish
from tests.service.web.web_harness import WebServer, web_server_for

ADMIN, PREDICT = "admin-" + "a" * 20, "predict-" + "b" * 20

SCHEMES = ["light", "dark"]


@pytest.fixture
def service(tmp_path: Path, feedback: Path) -> Iterator[Running]:
    """A service with a version that ships, one that was published, tokens, and five items of feedback."""
    tokens = tmp_path / "tokens"
    tokens.touch(0o600)
    tokens.write_text(f"admin:{ADMIN}\npredict:{PREDICT}\n")
    publish(Repository(str(tmp_path / "models"), writable=True), seed=1)
    settings = {"pretrained": str(ROOT / "pretrained"), "feedback": str(feedback), "tokens_file": str(tokens)}
    with running(tmp_path / "models", **settings) as server:
        with Recognizer(server.address, token=PREDICT) as client:
            for digit in range(5):
                client.send_feedback(np.roll(STROKE, digit, axis=1), digit)
        yield server


@pytest.fixture
def web_server(service: Running) -> Iterator[WebServer]:
    with web_server_for(service.address, token=PREDICT) as server:
        yield server


@pytest.fixture
def sign_in(browse, web_server):
    """Open a page as an administrator: `sign_in("/models", color_scheme="dark")`."""

    def begin(path: str, **options: object):
        visit = browse(web_server, path, **options)
        visit.page.get_by_label("Admin token").fill(ADMIN)
        visit.page.get_by_role("button", name="Sign in").click()
        visit.page.wait_for_url(f"**{path}")
        return visit

    return begin


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 320])
def test_no_page_has_a_violation_or_is_cut_off(browse, web_server, sign_in, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    found = {"signing in": violations(browse(web_server, "/sign-in", **options))}
    visit = sign_in("/models", **options)
    for path in ("/models", "/models/1", "/models/pretrained", "/models/pin?version=1", "/models/pin", "/feedback"):
        visit.open(path)
        for details in visit.page.locator("details").all():
            details.evaluate("each => each.open = true")
        found[path] = violations(visit)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
    visit.open("/feedback")
    visit.page.locator(".tile").first.focus()
    visit.page.keyboard.press("a")
    expect(visit.page.get_by_role("status")).to_have_text("Accepted.")
    visit.page.keyboard.press("d")
    found["asking once more"] = violations(visit)
    assert {place: each for place, each in found.items() if each} == {}


def test_a_wrong_token_is_said_and_the_right_one_leads_on(browse, web_server):
    visit = browse(web_server, "/models/1")
    visit.page.get_by_label("Admin token").fill("wrong-" + "c" * 20)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("alert")).to_contain_text("does not accept this token")
    assert visit.complained() == ["Failed to load resource: the server responded with a status of 403 (Forbidden)"]
    visit.page.get_by_label("Admin token").fill(ADMIN)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Version 1")
    visit.page.get_by_role("button", name="Sign out").click()
    expect(visit.page.get_by_role("status")).to_have_text("You are signed out.")


def test_scripts_cannot_read_the_session(sign_in):
    visit = sign_in("/models")
    assert visit.page.evaluate("document.cookie") == ""
    assert ADMIN not in visit.page.content()


def test_a_version_is_pinned_and_the_policy_returned_to(sign_in):
    visit = sign_in("/models")
    visit.page.get_by_role("link", name="Pin version pretrained").click()
    visit.page.get_by_role("button", name=re.compile("^Pin version")).click()
    expect(visit.page.get_by_role("status")).to_contain_text("is pinned and answers now")
    expect(visit.page.locator(".served-name")).to_have_text("The pretrained version")
    visit.page.get_by_role("link", name="Return to the policy").click()
    visit.page.get_by_role("button", name="Return to the policy").click()
    expect(visit.page.locator(".served-name")).to_have_text("Version 1")


def test_the_report_of_a_version_is_shown_without_any_right(sign_in):
    visit = sign_in("/models/pretrained")
    visit.page.get_by_role("link", name="Full report").click()
    expect(visit.page.get_by_role("heading", level=1)).to_contain_text("version 1")
    assert visit.page.evaluate("window.origin") == "null", "an origin of its own"
    picture = visit.page.locator("img").first
    assert picture.evaluate("each => each.naturalWidth") == 28


def test_mistakes_and_confusions_come_from_the_report(sign_in):
    visit = sign_in("/models/pretrained")
    expect(visit.page.locator(".confusion tbody td")).to_have_count(100)
    picture = visit.page.locator(".mistakes img").first
    assert picture.evaluate("each => each.naturalWidth") == 28


def items(visit) -> list[str]:
    return visit.page.locator(".tile").evaluate_all("all => all.map(each => each.dataset.item)")


def test_feedback_is_accepted_and_discarded_by_keyboard(sign_in, feedback):
    visit, folder = sign_in("/feedback"), FeedbackFolder(feedback)
    first, second, third = items(visit)[:3]
    status = visit.page.get_by_role("status")
    visit.page.locator("#all").focus()
    for _ in range(3):
        visit.page.keyboard.press("Tab")
    expect(visit.page.locator(f"[data-item='{first}']")).to_be_focused()
    visit.page.keyboard.press("a")
    expect(status).to_have_text("Accepted.")
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.locator(f"[data-item='{second}']")).to_be_focused()
    visit.page.keyboard.press("d")
    expect(status).to_contain_text("Press D again")
    assert second in folder.names()
    visit.page.keyboard.press("Escape")
    expect(status).to_have_text("Kept.")
    visit.page.keyboard.press("d")
    visit.page.keyboard.press("d")
    expect(status).to_have_text("Discarded.")
    expect(visit.page.locator(f"[data-item='{third}']")).to_be_focused()
    assert second not in folder.names()
    assert first in folder.names()
    visit.open("/feedback?show=accepted")
    assert items(visit) == [first]


def test_feedback_is_decided_with_the_mouse(sign_in, feedback):
    visit = sign_in("/feedback")
    first = items(visit)[0]
    tile = visit.page.locator(f"[data-item='{first}']")
    tile.get_by_role("button", name=re.compile("^Accept")).click()
    expect(tile.locator("[data-accepted]")).to_be_visible()
    tile.get_by_role("button", name=re.compile("^Discard")).click()
    expect(tile).to_contain_text("Really discard?")
    tile.get_by_role("button", name=re.compile("^(Discard|Really)")).click()
    expect(tile).to_have_count(0)
    assert first not in FeedbackFolder(feedback).names()


def test_a_selection_is_discarded_after_being_asked(sign_in, feedback):
    visit = sign_in("/feedback")
    visit.page.get_by_label("Select all").check()
    expect(visit.page.get_by_text("5 selected")).to_be_visible()
    visit.page.get_by_role("button", name="Discard", exact=True).first.click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Discard 5 items of feedback?")
    visit.page.get_by_role("button", name="Discard", exact=True).click()
    expect(visit.page.get_by_role("status").first).to_have_text("Discarded: 5.")
    assert FeedbackFolder(feedback).names() == []


def test_the_gallery_works_without_scripts(sign_in, feedback):
    visit = sign_in("/feedback", java_script_enabled=False)
    first = visit.page.locator(".tile").first
    name = first.get_attribute("data-item")
    first.get_by_role("button", name=re.compile("^Accept")).click()
    expect(visit.page.get_by_role("status").first).to_have_text("Accepted: 1.")
    visit.page.locator(f"[data-item='{name}']").get_by_role("button", name=re.compile("^Discard")).click()
    visit.page.get_by_role("button", name="Discard", exact=True).click()
    expect(visit.page.get_by_role("status").first).to_have_text("Discarded: 1.")
    assert name not in FeedbackFolder(feedback).names()


def accepted(call) -> bool:
    """Whether the client's token gives it the right to this call."""
    with suppress(AccessError):
        call()
        return True
    return False


def test_a_replaced_token_leads_a_script_to_the_sign_in(service, sign_in, tmp_path):
    visit = sign_in("/feedback")
    replacement = "n" * 24
    (tmp_path / "tokens").write_text(f"admin:{replacement}\npredict:{PREDICT}\n")
    with Recognizer(service.address, token=replacement) as client:
        eventually(lambda: accepted(client.feedback), "the service has read the new token")
    visit.page.locator(".tile").first.focus()
    visit.page.keyboard.press("a")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    visit.end_with_complaints()
