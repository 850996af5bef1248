"""Everything can be done with keys alone."""

from tests.browser.playwright_api import expect


def to_the_paper(page) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "ink":
            return
    raise AssertionError("no number of tabs reaches the paper")


def test_a_digit_is_drawn_with_arrows_and_space(visit):
    page = visit.page
    to_the_paper(page)
    page.keyboard.press("Space")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(visit.digit()).to_have_text("1")
    expect(visit.announced()).to_contain_text("1, ")


def test_backspace_erases_under_the_cursor(visit):
    page = visit.page
    to_the_paper(page)
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    before = visit.ink()
    page.keyboard.press("Backspace")
    assert 0 < visit.ink() < before


def test_the_cursor_is_shown_to_people_who_use_keys_alone(visit):
    to_the_paper(visit.page)
    expect(visit.page.locator("#cursor")).to_be_visible()
    visit.page.locator("#ink").click(position={"x": 50, "y": 50})
    expect(visit.page.locator("#cursor")).to_be_hidden()


def test_an_example_a_bar_and_the_look_inside_are_reached_with_keys(visit):
    page = visit.page
    page.get_by_role("button", name="Draw 3 for me").press("Enter")
    expect(visit.announced()).to_contain_text("3, ")
    page.locator("#bars button").nth(8).press("Enter")
    expect(page.locator("#legend-for")).to_have_text("speaks for 8")
    page.locator("#open-inside").press("Space")
    expect(page.locator(".stage").first).to_be_visible()
