"""What the report and the card say of new data."""

from core.artifact.manifest import Manifest
from pipelines.report import render_card
from tests.pipelines.report.report_inputs import WITH_NEW_DATA, Page, manifest, report


def test_the_report_counts_each_source_and_digit_and_shows_what_was_held_out() -> None:
    page = Page(report(manifest=manifest(**WITH_NEW_DATA)))
    words = page.words()
    assert "trained on 1,234 labeled pictures from other sources" in words
    row = words.partition("extra /data/<scans>")[2]
    assert row.startswith("0123456781,1981,2345687.50%76.39%–93.82%7172")
    assert "#new-data" in page.values("href")


def test_the_card_has_a_row_for_each_source() -> None:
    card = render_card(manifest(**WITH_NEW_DATA)).decode()
    assert "New data: 1,234 further labeled pictures were trained on" in card
    assert "| 1,234 | 56 | 87.50% | 76.39% to 93.82% | 71 | 72 |" in card
    assert "<scans>" not in card, "a name is no markup"


def test_a_version_without_new_data_says_nothing_of_it() -> None:
    assert b"New data" not in report()
    assert b"New data" not in render_card(manifest())


def test_a_manifest_with_new_data_is_read_as_it_was_written() -> None:
    whole = manifest(**WITH_NEW_DATA)
    assert Manifest.decode(whole.encode()) == whole
