"""Spans of time as people write them: `6h`, `90m`, `1h30m`, `2d`, or a plain number of seconds."""

import re
from datetime import timedelta

from core.errors import ConfigError

__all__ = ["in_words", "parse_duration"]

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){letter})?" for letter in _UNITS))
_LONGEST = timedelta(days=366)


def parse_duration(text: str, option: str, *, least: timedelta = timedelta(seconds=1)) -> timedelta:
    """Read a span of time.

    Args:
        text: What a user wrote.
        option: What the error calls it.
        least: The shortest span that is allowed.

    Raises:
        ConfigError: It is none, or too short or too long.
    """
    written = text.strip().lower()
    found = _DURATION.fullmatch(f"{written}s" if re.fullmatch("[0-9]{1,9}", written) else written)
    if not written or not found:
        raise ConfigError(f"{option} {text!r}: expected a span of time such as 6h, 90m, 1h30m or 2d")
    parts = zip(_UNITS.values(), found.groups(), strict=True)
    span = timedelta(**{unit: int(number) for unit, number in parts if number})
    if not least <= span <= _LONGEST:
        raise ConfigError(f"{option} {text!r}: expected at least {in_words(least)} and at most {in_words(_LONGEST)}")
    return span


def in_words(span: timedelta) -> str:
    """A span as `parse_duration` reads it, rounded to seconds; "0s" if it is none."""
    left, written = max(0, round(span.total_seconds())), ""
    for letter, size in zip(_UNITS, (86_400, 3600, 60, 1), strict=True):
        number, left = divmod(left, size)
        written += f"{number}{letter}" if number else ""
    return written or "0s"
