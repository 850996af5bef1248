"""Markdown of cards, as HTML and as a page."""

import pytest

from service.web.markdown import as_html
from tests.service.tiny_model import publish


@pytest.mark.parametrize("path", ["/card", "/card/1"])
def test_the_card_is_shown_as_a_page(repository, folder, serve, serve_web, path):
    publish(repository, seed=1, documents={"card.md": b"# Model card\n\n| a | b |\n|---|---:|\n| 1 | 2 |\n"})
    response, body = serve_web(serve(folder).address).ask("GET", path)
    assert (response.status, b"<h1>Model card</h1>" in body, b'<td class="number">2</td>' in body) == (200, True, True)


def test_a_version_without_a_card_says_so(web_server):
    response, body = web_server.ask("GET", "/card/1")
    assert (response.status, b"without a card" in body) == (200, True)


def test_a_version_that_does_not_exist_is_not_found(web_server):
    assert web_server.ask("GET", "/card/9")[0].status == 404


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "| <b onclick=x> |\n|---|\n| <svg/onload=x> |",
        "```\n</code></pre><script>\n```",
    ],
)
def test_html_in_a_card_is_shown_as_text(hostile):
    html = as_html(hostile, "Table")
    for begin in ("<script", "<img", "<b ", "<svg"):
        assert begin not in html


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_a_link_that_would_run_a_script_is_no_link(target):
    assert "<a" not in as_html(f"[x]({target})", "Table")


def test_a_picture_from_elsewhere_is_not_fetched():
    assert "<img" not in as_html("![x](https://example.org/x.png)", "Table")


def test_tables_can_be_scrolled_by_key_and_have_no_style_attribute():
    html = as_html("| | b |\n|---|---:|\n| 1 | 2 |\n", '"><script>')
    assert 'tabindex="0"' in html
    assert "style=" not in html
    assert "<script>" not in html
    assert "<th></th>" not in html
