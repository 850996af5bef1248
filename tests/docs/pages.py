"""The pages of the documentation, and what they link to."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["PAGES", "ROOT", "anchors", "code", "label", "targets"]

ROOT = Path(__file__).resolve().parents[2]

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
"""All of them: a new page is found by itself."""


def label(page: Path) -> str:
    """Its path, as tests and messages name it."""
    return str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt().parse(page.read_text("utf-8"))


def code(page: Path) -> list[tuple[int, str]]:
    """Its blocks of code: the line on which each begins, and "fence", or "code_block" for one that is only indented."""
    found = [token for token in _tokens(page) if token.type in ("fence", "code_block")]
    return [(token.map[0] + 1, token.type) for token in found if token.map]


def targets(page: Path) -> list[str]:
    """Where its links and pictures point to."""
    inline = [child for token in _tokens(page) for child in token.children or ()]
    found = [child.attrGet("href") or child.attrGet("src") for child in inline]
    return [str(target) for target in found if target]


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#`: each heading as the code host spells it, and each `<a id="…">`."""
    tokens = _tokens(page)
    headings = [text.content for mark, text in pairwise(tokens) if mark.type == "heading_open"]
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    spelled = {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}
    return spelled | set(re.findall(r'<a id="([^"]+)">', page.read_text("utf-8")))
