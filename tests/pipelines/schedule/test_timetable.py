import pytest

from core.errors import ConfigError
from pipelines.schedule.timetable import Timetable


@pytest.mark.parametrize(
    ("cron", "interval", "words"),
    [
        ("0 3 * * *", None, "at '0 3 * * *' (Europe/Berlin)"),
        ("@daily", None, "at '0 0 * * *' (Europe/Berlin)"),
        (None, "90m", "every 1h30m"),
        (None, None, ""),
    ],
)
def test_a_timetable_is_told_in_words(cron: str | None, interval: str | None, words: str) -> None:
    timetable = Timetable.parse(cron, interval, "Europe/Berlin")
    assert str(timetable) == words
    assert bool(timetable) == bool(words)


@pytest.mark.parametrize(
    ("cron", "interval", "complaint"),
    [
        ("@daily", "6h", "two timetables"),
        ("* * * * * *", None, "--cron .* 6 fields"),
        (None, "59s", "--interval '59s': expected at least 1m"),
    ],
)
def test_a_timetable_that_cannot_be_kept_is_refused(cron: str | None, interval: str | None, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Timetable.parse(cron, interval, "UTC")
