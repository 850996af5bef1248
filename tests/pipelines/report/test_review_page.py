"""The page on which a person decides about new pictures: complete, offline, escaped."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.new_data.judgement import Judgement
from pipelines.new_data.review_rows import Row
from pipelines.report import review_page
from pipelines.report.review_page import render_review
from tests.pipelines.new_data.new_items import plain

WHEN = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)


def row(label: int, number: int, read: int = 1, status: str = "contradicted", source: str = "feedback /f") -> Row:
    judgement = Judgement(read, 0.987, 0.01, rejected=False)
    item = replace(plain(label, number, source), received=WHEN)
    return Row(item, status, f"because of {source}", True, judgement)


def test_each_picture_comes_with_both_digits_and_the_commands_to_decide() -> None:
    rows = [row(7, 1), row(7, 2), row(3, 3, status="no digit")]
    page = render_review(rows, "a judge", ["--data-dir", "/some where"]).decode()
    assert page.count('src="data:image/png;base64,') == 3
    assert "Said to show 7, read as 1" in page
    for one in rows:
        name = one.item.name[:12]
        assert f"python -m pipelines feedback accept {name} --data-dir &#39;/some where&#39;" in page
        assert f"python -m pipelines feedback reject {name}" in page
    both = " ".join(one.item.name[:12] for one in sorted(rows[:2], key=lambda one: one.item.name))
    assert f"feedback accept {both}" in page, "a command for the whole group"
    assert page.index("Contradicted</h2>") < page.index("No digit</h2>")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = render_review([row(7, 1)], "a judge").decode()
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<script|<link(?! rel=\"icon\" href=\"data:)", page)


@pytest.mark.parametrize("status", ["contradicted", "source"])
def test_text_from_outside_is_shown_and_never_markup(status: str) -> None:
    evil = "extra /<script>alert('1')</script>&"
    rows = [row(7, 1, status=status, source=evil), row(7, 2, status=status)]
    page = render_review(rows, f"<b>{evil}").decode()
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_without_pictures_the_page_says_so() -> None:
    assert "There is nothing to review." in render_review([], None).decode()


def test_a_page_shows_the_most_doubtful_and_counts_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_page, "MOST_SHOWN", 2)
    page = render_review([row(n, n) for n in range(5)], "a judge").decode()
    assert "5 pictures, of which the 2 most doubtful are shown" in page
    assert page.count('src="data:image/png;base64,') == 2
