"""What a page of metrics says about a canary and the champion, and what keeps calls from the canary."""

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.canary.challenger_alias import Canary
from pipelines.canary.hindrance import failed_there, hindrance
from pipelines.canary.metrics_page import Counts, MetricsPage

CANARY = Canary(version=8, beside=5, begun=datetime(2026, 3, 1, tzinfo=UTC))
HERE = "http://here:9090/metrics"
RUNS = 'numeral_canary_share{canary="challenger"} 0.1\nnumeral_model_loaded{version="8",weights_sha256="ab"} 2'


def shown(text: str) -> MetricsPage:
    text = f"numeral_start_timestamp_seconds 1.7e9\n{text}\n"
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = MetricsPage.of(samples, (8, 5))
    assert found is not None
    return found


def test_counts_are_told_apart_by_version_and_reason():
    found = shown(
        "\n".join(
            [
                'numeral_images_total{version="8"} 90',
                'numeral_images_total{version="5"} 800',
                'numeral_failures_total{version="8",reason="Error"} 7',
                'numeral_failures_total{version="8",reason="NotFinite"} 2',
                'numeral_rejections_total{version="8",reason="NotADigit"} 5',
                'numeral_rejections_total{version="8",reason="NoDigitError"} 3',
                'numeral_rejections_total{version="8",reason="PictureUnreadableError"} 1',
                'numeral_rejections_total{version="5",reason="NoDigitError"} 40',
                'numeral_shadow_images_total{version="8"} 60',
                'numeral_shadow_disagreements_total{version="8"} 6',
            ]
        )
    )
    assert found.canary == Counts(computed=90, failed=7, not_finite=2, refused=5, unread=4, shadowed=60, disagreed=6)
    assert found.champion == Counts(computed=800, unread=40)
    assert found.canary.pictures == 101


def test_a_page_of_another_program_is_none():
    assert MetricsPage.of([], (8, 5)) is None


@pytest.mark.parametrize(
    ("text", "failure", "trouble"),
    [
        (RUNS, "", ""),
        (f'{RUNS}\nnumeral_model_refused{{version="8",reason="DamagedVersionError"}} 1', "", ""),
        ("", "", "sends no calls to the alias challenger: start it with --canary challenger:10% (NUMERAL_CANARY)"),
        ('numeral_canary_share{canary="3"} 0.1', "", "sends no calls to the alias challenger"),
        ('numeral_canary_share{canary="challenger"} 0.1', "", "has not loaded version 8; does it follow the same"),
        (
            'numeral_canary_share{canary="challenger"} 0.1\n'
            'numeral_model_loaded{version="other",weights_sha256="other"} 1',
            "",
            "has seen more versions than it counts one by one: start it again",
        ),
        (
            'numeral_canary_share{canary="challenger"} 0.1\nnumeral_model_refused{version="8",reason="fallback"} 1',
            f"the service at {HERE} has fallen back from version 8; its log says why",
            "",
        ),
        (
            'numeral_canary_share{canary="challenger"} 0.1\n'
            'numeral_model_refused{version="8",reason="GoldenProbeError"} 1',
            f"the service at {HERE} cannot load version 8: GoldenProbeError; its log says more",
            "",
        ),
        (
            'numeral_canary_share{canary="challenger"} 0.1\n'
            'numeral_model_refused{version="8",reason="StorageHungError"} 1',
            "",
            "cannot load version 8 for now: StorageHungError",
        ),
        (
            'numeral_canary_share{canary="challenger"} 0.1\n'
            'numeral_model_refused{version="8",reason="GoldenProbeError"} 0\n'
            'numeral_model_refused{version="7",reason="GoldenProbeError"} 1',
            "",
            "has not loaded version 8",
        ),
        (f'{RUNS}\nnumeral_model_pinned{{version="5"}} 1', "", "version 5 is pinned at the service at"),
        (f'{RUNS}\nnumeral_model_pinned{{version="5"}} 0', "", ""),
    ],
)
def test_what_keeps_calls_from_a_canary_is_named_and_what_has_failed_stops_it(text: str, failure: str, trouble: str):
    page = shown(text)
    assert failed_there(page, CANARY, HERE) == failure
    if not failure:
        found = hindrance(page, CANARY, HERE)
        assert trouble in found
        assert bool(found) == bool(trouble)
