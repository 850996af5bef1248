"""Cron expressions and time zones as users write them."""

import pytest

from core.errors import ConfigError
from pipelines.schedule.cron import parse_cron, parse_zone


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0 3 * * *", "0 3 * * *"),
        ("  */15  8-18 1,15 * MON-FRI ", "*/15 8-18 1,15 * MON-FRI"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 30 2 1", "0 0 30 2 1"),  # every Monday in February
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
    ],
)
def test_five_fields_or_a_name_are_a_cron_expression(written: str, meant: str) -> None:
    assert parse_cron(written) == meant


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("* * * * * *", "6 fields, expected five .minute, hour, day of the month, month, day of the week."),
        ("0 0 3 * * * 2027", "7 fields, expected five"),
        ("every night", "2 fields, expected five .* e.g. '0 3 . . .'"),
        ("nightly", "1 field, expected five"),
        ("", "0 fields, expected five"),
        ("@never", "no such name, expected one of @hourly, @daily"),
        ("60 3 * * *", "the minute is '60', expected 0 to 59"),
        ("0 24 * * *", "the hour is '24', expected 0 to 23"),
        ("0 22-2 * * *", "the hour is '22-2'"),
        ("0 0 0 * *", "the day of the month is '0', expected 1 to 31"),
        ("0 0 * 13 *", "the month is '13', expected 1 to 12 or JAN to DEC"),
        ("0 0 * * FRY", "the day of the week is 'FRY', expected 0 to 7 or SUN to SAT"),
        ("*/0 * * * *", "the minute is '.*/0'"),
        ("H 3 * * *", "the minute is 'H'"),
        ("0 0 L * *", "the day of the month is 'L'"),
        ("0 0 * * 5L", "the day of the week is '5L'"),
        ("0 0 30 2 *", "never happens"),
        ("0 0 31 2,4,6 *", "never happens"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(written: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        parse_cron(written)
    assert str(raised.value).startswith(f"--cron {written!r}: ")


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_is_named_as_the_tz_database_names_it(name: str) -> None:
    assert parse_zone(name) == name


@pytest.mark.parametrize(
    ("written", "similar"),
    [
        ("Berlin", "did you mean Europe/Berlin"),
        ("europe/berlin", "did you mean Europe/Berlin"),
        ("Europe/Berln", "did you mean Europe/Berlin"),
        ("New York", "did you mean America/New_York"),
        ("Mars/Olympus", "expected a name such as Europe/Berlin or UTC"),
        ("../../etc/passwd", "expected a name such as"),
        ("", "expected a name such as"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_similar_names(written: str, similar: str) -> None:
    with pytest.raises(ConfigError, match=similar):
        parse_zone(written)
