"""Cards of versions are written in Markdown; a page shows them as HTML that nobody else can add to."""

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

__all__ = ["as_html"]

LONGEST_CARD = 200_000
"""Characters that are rendered. A card has ten thousand."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
"""HTML in a card is shown as text, and a picture, which would be asked for elsewhere, as a link to it.

Links whose scheme could run a script, such as javascript:, are left as text by the library itself.
"""

_TABLE = '<div class="scroll" role="group" aria-label="{}" tabindex="0">\n<table>\n'


def as_html(text: str, tables: str) -> Markup:
    """Markdown as HTML.

    Args:
        text: The Markdown, which may come from anybody.
        tables: What a table is called, for people who do not see that it can be scrolled.
    """
    tokens = _MARKDOWN.parse(text[:LONGEST_CARD])
    for place, token in enumerate(tokens):
        if token.type in ("th_open", "td_open"):
            # No page may have a style attribute; and a cell without words is no heading of anything.
            if "right" in str(token.attrs.pop("style", "")):
                token.attrs["class"] = "number"
            if not tokens[place + 1].content:
                token.tag = tokens[place + 2].tag = "td"
        elif token.type in ("table_open", "table_close"):
            tokens[place] = _html(_TABLE.format(escape(tables)) if token.nesting == 1 else "</table>\n</div>\n")
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704 — the library escapes it


def _html(text: str) -> Token:
    return Token("html_block", "", 0, content=text)
