"""Visitors tell which digit it was."""

from core.feedback import FeedbackFolder
from tests.browser.playwright_api import expect
from tests.browser.strokes import DIGITS, FOUR_AND_TWO, LETTER
from tests.browser.visit import drawn
from tests.service.harness import ROOT, running
from tests.service.web.web_harness import web_server_for


def items(folder):
    folder = FeedbackFolder(folder)
    return [folder.read(name) for name in folder.names()]


def test_feedback_lands_in_the_folder(visit, feedback):
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    visit.page.get_by_role("button", name="It was a 5").click()
    expect(visit.page.locator("#feedback-said")).to_contain_text("Thank you")
    (item,) = items(feedback)
    assert (item.digit, item.original[:4], len(item.reply_id) > 10) == (5, b"\x89PNG", True)


def test_a_rejected_drawing_can_be_sent_too(visit, feedback):
    visit.draw(LETTER)
    expect(visit.announced()).not_to_be_empty()
    visit.page.get_by_role("button", name="It was a 4").click()
    expect(visit.page.locator("#feedback-said")).to_contain_text("Thank you")
    assert [item.digit for item in items(feedback)] == [4]


def test_feedback_about_one_of_several_digits_sends_that_one_alone(visit, feedback):
    visit.draw(FOUR_AND_TWO)
    expect(visit.page.locator(".box")).to_have_count(2)
    visit.page.locator(".box").nth(1).click()
    visit.page.get_by_role("button", name="It was a 2").click()
    expect(visit.page.locator("#feedback-said")).to_contain_text("Thank you")
    (item,) = items(feedback)
    assert item.digit == 2


def test_the_buttons_wait_for_a_drawing(visit):
    expect(visit.page.get_by_role("button", name="It was a 3")).to_be_disabled()
    drawn(visit, 3)
    expect(visit.page.get_by_role("button", name="It was a 3")).to_be_enabled()


def test_a_service_that_collects_none_says_so(browse, tmp_path):
    with (
        running(tmp_path / "models", pretrained=str(ROOT / "pretrained")) as service,
        web_server_for(service.address) as server,
    ):
        visit = browse(server)
        visit.draw(DIGITS[3])
        expect(visit.announced()).not_to_be_empty()
        visit.page.get_by_role("button", name="It was a 3").click()
        expect(visit.page.locator("#feedback-said")).to_have_text("This service collects no feedback.")
        visit.end_with_complaints()
