from datetime import timedelta

import pytest

from core.errors import ConfigError
from pipelines.schedule.duration import in_words, parse_duration


@pytest.mark.parametrize(
    ("written", "minutes"), [("6h", 360), ("90m", 90), ("1h30m", 90), ("2d", 2880), ("120", 2), (" 5M ", 5)]
)
def test_a_span_of_time_is_a_number_with_a_unit(written: str, minutes: int) -> None:
    assert parse_duration(written, "--interval") == timedelta(minutes=minutes)


@pytest.mark.parametrize("written", ["", "h", "6 hours", "-1h", "1.5h", "30m1h", "0", "1000d", "9" * 30])
def test_anything_else_is_refused_by_the_name_of_its_option(written: str) -> None:
    with pytest.raises(ConfigError, match=r"^--interval '.*: expected "):
        parse_duration(written, "--interval")


def test_a_span_that_is_too_short_says_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match="at least 1m and at most 366d"):
        parse_duration("59s", "--interval", least=timedelta(minutes=1))


@pytest.mark.parametrize("written", ["6h", "1h30m", "2d", "1d1h1m1s"])
def test_words_are_read_again_as_the_same_span(written: str) -> None:
    assert in_words(parse_duration(written, "--pause")) == written
