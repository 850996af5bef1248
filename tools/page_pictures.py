"""Take the pictures of the page that README and docs show: in light, in dark, on a phone, and inside the network.

Usage: make web                                       (in another terminal)
       python tools/page_pictures.py [URL [FOLDER]]   (by default http://127.0.0.1:8080/ and docs/images)

Needs playwright and chromium: pip install '.[browser]'
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]

WIDE = {"viewport": {"width": 1180, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 760}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


def main(url: str, folder: Path) -> None:
    """Take the pictures of the page at `url`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, example, options in (
            ("page-light", "3", WIDE | {"color_scheme": "light"}),
            ("page-dark", "8", WIDE | {"color_scheme": "dark"}),
            ("page-phone", "42", PHONE),
        ):
            page = _drawn(browser, url, example, options)
            page.screenshot(path=folder / f"{name}.png")
            page.context.close()
        page = _drawn(browser, url, "5", WIDE)
        page.click("#open-inside")
        expect(page.locator(".stage").nth(2).locator("canvas")).to_be_visible()
        page.wait_for_timeout(500)
        page.locator("section.inside").evaluate("(section) => scrollTo(0, section.offsetTop)")
        page.screenshot(path=folder / "page-inside.png")
        browser.close()


def _drawn(browser: Browser, url: str, example: str, options: dict[str, Any]) -> Page:
    """A page on which an example is drawn, and its answer settled."""
    page = browser.new_context(locale="en-GB", **options).new_page()
    page.goto(url)
    page.get_by_role("button", name=f"Draw {example} for me").click()
    expect(page.locator("#announcement")).not_to_be_empty(timeout=30_000)
    page.mouse.move(0, 0)
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    page.wait_for_timeout(1000)  # bars move
    return page


if __name__ == "__main__":
    _, *given = sys.argv
    main(given[0] if given else "http://127.0.0.1:8080/", Path(given[1]) if len(given) > 1 else ROOT / "docs/images")
