"""The service goes away and comes back while somebody draws."""

import pytest

from tests.browser.playwright_api import expect
from tests.browser.strokes import DIGITS
from tests.browser.visit import drawn
from tests.service.conftest import free_port, start  # noqa: F401 — fixtures
from tests.service.harness import ROOT
from tests.service.web.web_harness import web_server_for


@pytest.fixture
def begin(start, free_port, tmp_path):  # noqa: F811 — fixtures
    """Start a service as a process of its own, always on the same port."""

    def begin():
        folders = ("--repository", tmp_path / "models", "--pretrained", ROOT / "pretrained")
        process = start("serve", "--port", free_port, "--workers", 1, *folders)
        process.listening()
        return process

    return begin


def test_the_page_says_so_keeps_the_drawing_and_reads_it_once_the_service_is_back(begin, browse, free_port):  # noqa: F811
    service = begin()
    with web_server_for(f"127.0.0.1:{free_port}") as server:
        visit = browse(server)
        drawn(visit, 7)
        expect(visit.digit()).to_have_text("7")
        service.kill()
        visit.page.keyboard.press("Escape")
        drawn(visit, 3)
        expect(visit.page.locator("#notice")).to_contain_text("not answering")
        assert visit.ink() > 0
        begin()
        expect(visit.digit()).to_have_text("3")
        expect(visit.announced()).to_contain_text("3, ")
        expect(visit.page.locator("#notice")).to_be_empty()
        visit.end_with_complaints()


def test_the_web_server_itself_may_go_away(service, browse):
    server = web_server_for(service.address)
    with server as gone:
        visit = browse(gone)
        drawn(visit, 7)
        expect(visit.digit()).to_have_text("7")
    drawn(visit, 3)
    expect(visit.page.locator("#notice")).to_contain_text("not answering")
    visit.end_with_complaints()


def test_a_drawing_is_kept_while_the_service_is_away(visit, service):
    service.end()
    visit.draw(DIGITS[3])
    expect(visit.page.locator("#notice")).to_contain_text("Your drawing is kept")
    assert visit.ink() > 0
    visit.end_with_complaints()
