"""Cron expressions and time zones, checked before Prefect sees them.

Prefect also takes six fields (every second!) and seven, times that never come, and forms that other programs read
differently. Here, an expression has the five fields of Unix, or is one of its names such as `@daily`.
"""

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError

from core.errors import ConfigError

__all__ = ["parse_cron", "parse_zone"]

_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of the month": "1 to 31",
    "month": "1 to 12 or JAN to DEC",
    "day of the week": "0 to 7 or SUN to SAT",
}

_EXAMPLE = "e.g. '0 3 * * *' for every night at three"

_MOST_FIELDS = 7
"""In any dialect of cron."""

_LONGEST_QUOTE = 60

_VALUE = r"(?:[0-9]{1,2}|[A-Za-z]{3})"
_TERM = re.compile(rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/[0-9]{{1,2}})?")
"""What all programs read alike: no `L`, `W`, `#`, `?` and `H`, which are extensions."""


def parse_cron(text: str) -> str:
    """Check a cron expression.

    Args:
        text: What a user wrote.

    Returns:
        Its five fields.

    Raises:
        ConfigError: It is none, or it never comes true.
    """
    where = f"--cron {_shortened(text)!r}"
    if text.strip().startswith("@"):
        known = _NAMES.get(text.strip().lower())
        if known is None:
            raise ConfigError(f"{where}: no such name, expected one of {', '.join(_NAMES)}, or five fields, {_EXAMPLE}")
        return known
    fields = text.split()
    if len(fields) != len(_FIELDS):
        found = f"{len(fields)} field{'' if len(fields) == 1 else 's'}"
        if len(fields) > _MOST_FIELDS:
            found = f"{found}, as if a shell had replaced * by the names of files"
        raise ConfigError(f"{where}: {found}, expected five ({', '.join(_FIELDS)}), {_EXAMPLE}")
    for place, (name, allowed) in enumerate(_FIELDS.items()):
        # Each field by itself, among stars, so that an error can name it.
        alone = " ".join(field if at == place else "*" for at, field in enumerate(fields))
        if not all(_TERM.fullmatch(term) for term in fields[place].split(",")) or not _is_read(alone):
            raise ConfigError(
                f"{where}: the {name} is {fields[place]!r}, expected {allowed}, *, or lists, ranges and steps such as "
                f"1,3 or 1-5 or */2"
            )
    try:
        next(CronSim(" ".join(fields), datetime.now(UTC)))
    except (CronSimError, StopIteration):
        raise ConfigError(f"{where}: never happens: no such month has so many days") from None
    return " ".join(fields)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def _is_read(expression: str) -> bool:
    try:
        CronSim(expression, datetime.now(UTC))
    except CronSimError:
        return False
    return True


def parse_zone(text: str) -> str:
    """Check the name of a time zone, such as Europe/Berlin.

    Raises:
        ConfigError: There is none of this name; the error lists similar ones.
    """
    known = available_timezones()
    if text in known:
        return text
    by_spelling = {name.casefold(): name for name in sorted(known)}
    by_city = {name.rpartition("/")[2].casefold(): name for name in sorted(known)}
    wanted = text.strip().replace(" ", "_").casefold()
    near = [by_spelling.get(wanted), by_city.get(wanted)]
    near += [by_spelling[found] for found in get_close_matches(wanted, by_spelling, n=2, cutoff=0.7)]
    near += [by_city[found] for found in get_close_matches(wanted.rpartition("/")[2], by_city, n=2, cutoff=0.7)]
    similar = list(dict.fromkeys(name for name in near if name))[:3]
    meant = f"did you mean {' or '.join(similar)}?" if similar else "expected a name such as Europe/Berlin or UTC"
    raise ConfigError(f"--timezone {text!r}: there is no such time zone; {meant}")
