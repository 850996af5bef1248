"""What axe-core, the accessibility engine, finds on the page; and what no engine can."""

import pytest

from tests.browser.axe import violations
from tests.browser.playwright_api import expect
from tests.browser.strokes import DIGITS, FOUR_AND_TWO, LETTER
from tests.browser.visit import drawn, picture

SCHEMES = ["light", "dark"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_has_no_violation_at_any_stage(browse, web_server, scheme):
    visit = browse(web_server, color_scheme=scheme)
    found = {"empty": violations(visit)}
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    visit.page.locator("#bars button").nth(8).click()
    visit.page.click("#open-inside")
    expect(visit.page.locator(".stage").first).to_be_visible()
    found["a digit, and inside"] = violations(visit)
    visit.page.click("#clear")
    visit.draw(LETTER)
    expect(visit.announced()).not_to_be_empty()
    found["a letter"] = violations(visit)
    visit.page.click("#clear")
    visit.draw(FOUR_AND_TWO)
    expect(visit.page.locator(".box")).to_have_count(2)
    found["two digits"] = violations(visit)
    file = {"name": "3.png", "mimeType": "image/png", "buffer": picture(DIGITS[3])}
    visit.page.set_input_files("#choose", file)
    expect(visit.announced()).to_contain_text("3, ")
    found["a picture"] = violations(visit)
    assert {stage: each for stage, each in found.items() if each} == {}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_phone_page_and_the_card_have_no_violation(browse, web_server, scheme):
    visit = browse(web_server, color_scheme=scheme, viewport={"width": 320, "height": 640})
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    assert violations(visit) == []
    visit.page.click("#card")
    visit.page.wait_for_url("**/card/pretrained")
    assert violations(visit) == []


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_cut_off_on_narrow_screens(browse, web_server, width):
    visit = browse(web_server, viewport={"width": width, "height": 500})
    drawn(visit, 3)
    visit.page.click("#open-inside")
    expect(visit.page.locator(".stage").first).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
