"""The look inside the network."""

import pytest

from tests.browser.playwright_api import expect
from tests.browser.visit import drawn


@pytest.fixture
def inside(visit):
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    visit.page.click("#open-inside")
    expect(visit.page.locator(".editor-verdict")).to_contain_text("It reads 3")
    return visit


def test_each_layer_is_shown_with_a_sentence(inside):
    stages = inside.page.locator(".stage")
    expect(stages.first).to_contain_text("Convolution")
    expect(stages.first).to_contain_text("24 filters of 5 × 5")
    expect(stages.last).to_contain_text("Dense")
    expect(stages.last.locator(".cell")).to_have_count(10)
    assert all(len(words) > 20 for words in stages.locator(".stage-words p:first-of-type").all_inner_texts())


def test_what_is_said_again_about_the_same_drawing_keeps_the_pixels_that_were_switched(browse, web_server):
    """It is opened at once: a quarter of a second later the drawing rests, while pixels are being switched."""
    visit = browse(web_server, path=None)
    visit.page.clock.install()
    visit.open()
    visit.page.clock.pause_at(4_000_000_000)  # from here on, timers wait for `run_for`
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    visit.page.click("#open-inside")
    verdict = visit.page.locator(".editor-verdict")
    expect(verdict).to_contain_text("It reads 3")
    logit = visit.page.locator(".stage").last.locator(".cell-value").nth(3)
    before = logit.inner_text()
    visit.page.locator("#inside canvas.pixels").press("Space")
    expect(logit).not_to_have_text(before)
    looks = len([url for url in visit.requests if "/page/inside" in url])
    with visit.page.expect_response("**/page/explain*"):  # asked for at the moment at which the drawing rests
        visit.page.clock.run_for(1000)
    assert len([url for url in visit.requests if "/page/inside" in url]) == looks
    expect(logit).not_to_have_text(before)
    visit.page.get_by_role("button", name="Back to the drawing").click()
    expect(logit).to_have_text(before)


def test_pixels_that_are_switched_change_the_answer_until_they_are_put_back(inside):
    page = inside.page
    logit = page.locator(".stage").last.locator(".cell-value").nth(3)
    before = logit.inner_text()
    page.locator("#inside canvas.pixels").scroll_into_view_if_needed()
    area = page.locator("#inside canvas.pixels").bounding_box()
    assert abs(area["width"] - area["height"]) < 1
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.2 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.8 * area["height"], steps=30)
    page.mouse.up()
    expect(logit).not_to_have_text(before)
    expect(inside.digit()).to_have_text("3")
    page.get_by_role("button", name="Back to the drawing").click()
    expect(logit).to_have_text(before)
    expect(page.get_by_role("button", name="Back to the drawing")).to_be_disabled()


def test_a_pixel_is_switched_by_key(inside):
    page = inside.page
    logit = page.locator(".stage").last.locator(".cell-value").nth(3)
    before = logit.inner_text()
    page.locator("#inside canvas.pixels").press("Space")
    expect(logit).not_to_have_text(before)


def test_it_follows_the_next_drawing(inside):
    inside.page.keyboard.press("Escape")
    expect(inside.page.locator("#inside .notice")).to_be_visible()
    drawn(inside, 7)
    expect(inside.page.locator(".editor-verdict")).to_contain_text("It reads 7")


def test_it_is_loaded_when_it_is_opened_and_not_before(visit):
    assert not [url for url in visit.requests if "inside.js" in url]
    visit.page.click("#open-inside")
    expect(visit.page.locator("#inside .notice")).to_be_visible()
    assert [url for url in visit.requests if "inside.js" in url]
