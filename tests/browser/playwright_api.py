"""What the tests use of Playwright. Where it is not installed, a file that imports this is skipped with the reason."""

import pytest

_API = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'")

Error, expect, sync_playwright = _API.Error, _API.expect, _API.sync_playwright
