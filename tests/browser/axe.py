"""What axe-core, the accessibility engine, finds on a page."""

import pytest

from tests.browser.visit import Visit

_sync = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")


def violations(visit: Visit) -> list[str]:
    """Each violation of a rule, with the element; judged when no color is changing any more."""
    visit.page.evaluate("() => Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    found = _sync.Axe().run(visit.page).response["violations"]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]
