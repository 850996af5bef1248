"""Links within the repository lead somewhere."""

from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    parts = [urlsplit(target) for target in targets(page)]
    paths = [unquote(part.path) for part in parts if not part.scheme and part.path]
    assert [path for path in paths if not (page.parent / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_one(page):
    parts = [urlsplit(target) for target in targets(page)]
    named = [
        (page.parent / unquote(part.path) if part.path else page, part.fragment) for part in parts if not part.scheme
    ]
    missing = [
        f"{other.name}#{fragment}"
        for other, fragment in named
        if fragment and other.suffix == ".md" and other.exists() and fragment not in anchors(other)
    ]
    assert missing == []
