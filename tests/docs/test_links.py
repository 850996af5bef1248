"""Links within the repository lead somewhere."""

from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import ROOT, targets

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    parts = [urlsplit(target) for target in targets(page)]
    paths = [unquote(part.path) for part in parts if not part.scheme and part.path]
    assert [path for path in paths if not (page.parent / path).exists()] == []
