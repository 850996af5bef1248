"""People draw, and see what is read."""

import json
from contextlib import suppress

import pytest

from tests.browser.playwright_api import Error, expect
from tests.browser.strokes import DIGITS, FOUR_AND_TWO, LETTER, corners
from tests.browser.visit import drawn


@pytest.mark.parametrize("digit", [3, 5, 7])
def test_a_digit_that_is_drawn_is_read(visit, digit):
    drawn(visit, digit)
    expect(visit.digit()).to_have_text(str(digit))
    expect(visit.page.locator("#bars .best .bar-digit")).to_have_text(str(digit))
    expect(visit.page.locator("#seen")).not_to_have_class("seen nothing")
    expect(visit.page.locator("#card")).to_have_attribute("href", "/card/pretrained")


def test_the_settled_answer_is_announced_in_words(visit):
    drawn(visit, 3)
    expect(visit.announced()).to_have_text("3, 99 percent sure")


def test_the_answer_appears_while_drawing_and_is_not_announced_yet(visit):
    visit.draw(DIGITS[3], lift=False)
    expect(visit.digit()).to_have_text("3")
    expect(visit.announced()).to_be_empty()
    visit.page.mouse.up()
    expect(visit.announced()).not_to_be_empty()


def test_a_finger_draws_on_a_scrolled_phone_page_which_stays_where_it_is(browse, web_server):
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    visit = browse(web_server, **phone)
    page = visit.page
    page.evaluate("scrollTo(0, 60)")
    area = page.locator("#ink").bounding_box()
    devtools = page.context.new_cdp_session(page)
    for stroke in DIGITS[3]:
        points = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in corners(stroke)]
        for index, (x, y) in enumerate(points):
            kind = "touchMove" if index else "touchStart"
            devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(visit.digit()).to_have_text("3")
    assert page.evaluate("scrollY") == 60


@pytest.mark.parametrize(("height", "locale"), [(560, "en-GB"), (640, "en-GB"), (640, "de-DE")])
def test_a_small_phone_shows_paper_and_bars_without_scrolling(browse, web_server, height, locale):
    phone = {"viewport": {"width": 360, "height": height}, "has_touch": True, "is_mobile": True}
    visit = browse(web_server, locale=locale, **phone)
    bars, paper = visit.page.locator("#bars").bounding_box(), visit.page.locator("#ink").bounding_box()
    assert bars["y"] + bars["height"] <= height
    assert paper["width"] >= 240
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_strokes_are_taken_back_and_put_again_by_button_and_by_key(visit):
    page = visit.page
    visit.draw(DIGITS[4])
    both = visit.ink()
    page.click("#undo")
    one = visit.ink()
    page.keyboard.press("Control+z")
    none = visit.ink()
    assert both > one > none == 0
    expect(visit.digit()).to_be_empty()
    page.keyboard.press("Control+Shift+z")
    page.click("#redo")
    assert visit.ink() == both
    expect(visit.digit()).to_have_text("4")


@pytest.mark.parametrize("how", ["button", "Escape", "Delete"])
def test_the_paper_is_cleared_and_even_that_can_be_undone(visit, how):
    drawn(visit, 7)
    expect(visit.announced()).not_to_be_empty()
    if how == "button":
        visit.page.click("#clear")
    else:
        visit.page.keyboard.press(how)
    expect(visit.page.locator("#verdict")).to_have_text("Nothing drawn yet")
    assert visit.ink() == 0
    visit.page.keyboard.press("Control+z")
    expect(visit.digit()).to_have_text("7")


def test_a_drawing_survives_another_size_of_the_window(visit):
    drawn(visit, 3)
    before = visit.ink()
    visit.page.set_viewport_size({"width": 320, "height": 700})
    visit.page.wait_for_function("() => document.getElementById('ink').width < 300")
    assert abs(visit.ink() - before) < 0.1 * before
    expect(visit.digit()).to_have_text("3")


def test_two_digits_are_read_in_order_and_each_can_be_chosen(visit):
    visit.draw(FOUR_AND_TWO)
    expect(visit.digit()).to_have_text("4 2")
    boxes = visit.page.locator(".box")
    expect(boxes).to_have_count(2)
    expect(visit.announced()).to_contain_text("4 2")
    boxes.nth(1).click()
    expect(visit.page.locator("#bars .best .bar-digit")).to_have_text("2")
    expect(visit.page.locator("#seen")).not_to_have_class("seen nothing")


def test_a_letter_is_rejected_in_words(visit):
    visit.draw(LETTER)
    expect(visit.page.locator("#verdict")).to_contain_text("does not look like a digit")
    expect(visit.announced()).to_contain_text("does not look like a digit")


def test_a_late_answer_to_an_older_picture_is_dropped(visit):
    held = []

    def hold_the_first(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    visit.page.route("**/page/read", hold_the_first)
    drawn(visit, 3)
    expect(visit.announced()).to_have_text("3, 99 percent sure")
    nine = {"digit": 9, "confidence": 1.0, "probabilities": [0.0] * 9 + [1.0], "rejected": "", "version": "1"}
    with suppress(Error):  # the page has given it up already
        held[0].fulfill(status=200, content_type="application/json", body=json.dumps(nine))
    visit.page.wait_for_timeout(200)
    expect(visit.digit()).to_have_text("3")


def test_pressing_a_bar_shows_what_speaks_for_that_digit(visit):
    drawn(visit, 3)
    expect(visit.announced()).not_to_be_empty()
    visit.page.locator("#bars button").nth(8).click()
    expect(visit.page.locator("#legend-for")).to_have_text("speaks for 8")
    expect(visit.page.locator("#bars button").nth(8)).to_have_attribute("aria-pressed", "true")


def test_the_page_speaks_german_to_those_who_prefer_it(browse, web_server):
    visit = browse(web_server, locale="de-DE")
    drawn(visit, 3)
    expect(visit.announced()).to_have_text("3, zu 99 Prozent sicher")
    expect(visit.page.locator("h1")).to_have_text("Zeichne eine Ziffer")


def test_people_who_want_no_motion_see_an_example_at_once(browse, web_server):
    visit = browse(web_server, reduced_motion="reduce")
    visit.page.get_by_role("button", name="Draw 8 for me").click()
    expect(visit.digit()).to_have_text("8")


def test_every_example_is_read_as_what_it_shows(visit):
    for name in "234578":
        visit.page.get_by_role("button", name=f"Draw {name} for me").click()
        expect(visit.announced()).to_contain_text(f"{name}, 9")
    visit.page.get_by_role("button", name="Draw 42 for me").click()
    expect(visit.digit()).to_have_text("4 2")
    visit.page.get_by_role("button", name="Draw A for me").click()
    expect(visit.page.locator("#verdict")).to_contain_text("does not look like a digit")


def test_the_first_visit_is_small(browse, web_server):
    visit = browse(web_server, None)
    sizes = []
    visit.page.on("response", lambda response: sizes.append(len(response.body())))
    visit.open()
    assert len(sizes) > 10
    assert sum(sizes) <= 150_000
