"""When the log says that a certificate is about to end."""

from datetime import UTC, datetime

import pytest

from service.server.expiry import Expiry
from tests.service.authority import DAY

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("life", "left", "words"),
    [
        (90, 31, None),
        (90, 30, "in less than 30 days"),
        (90, 6, "in less than 7 days"),
        (90, 0.5, "in less than a day"),
        (90, -1, "has expired"),
        (45, 29, None),  # it is renewed later than others
        (45, 6, "in less than 7 days"),
        (14, 6, None),
        (14, 0.5, "in less than a day"),
        (1, 0.5, None),
        (1, -0.1, "has expired"),
    ],
)
def test_the_end_of_a_certificate_is_logged_when_it_is_near(caplog, life, left, words):
    ends = BEGINS + life * DAY
    Expiry().look("TLS certificate F", BEGINS, ends, ends - left * DAY)
    assert [words in record.message for record in caplog.records] == ([True] if words else [])
    assert all(f"{ends:%Y-%m-%d}" in record.message for record in caplog.records)


def test_each_milestone_of_a_certificate_is_logged_once(caplog):
    expiry = Expiry()
    for day in range(95):
        for _ in range(3):
            expiry.look("TLS certificate F", BEGINS, BEGINS + 90 * DAY, BEGINS + day * DAY)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "WARNING", "ERROR"]


def test_the_end_of_the_certificate_after_it_is_logged_again(caplog):
    expiry = Expiry()
    for begins in (BEGINS, BEGINS + 60 * DAY):
        expiry.look("TLS certificate F", begins, begins + 90 * DAY, begins + 61 * DAY)
    assert len(caplog.records) == 2
