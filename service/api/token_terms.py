"""What may follow a token in its file: its quota, such as `rate=100 burst=200`."""

import re
from collections.abc import Sequence

from core.errors import ConfigError
from service.quota import Quota
from service.roles import Role

__all__ = ["quota_of", "terms"]

BURST_SECONDS = 2.0
"""A quota without a burst allows as many pictures at once as in this many seconds."""

_TERM = re.compile(r"(rate|burst)=([0-9]{1,9}(?:\.[0-9]{1,9})?)", re.ASCII)


def terms(line: str) -> tuple[str, list[str]]:
    """A line of the file, taken apart: role and token, and the terms that follow them after blanks."""
    entry, *fields = line.split()
    return entry, fields


def quota_of(role: Role, fields: Sequence[str], place: str, before: Quota | None) -> Quota | None:
    """The quota that terms give to a token.

    Args:
        role: The role of the token.
        fields: The terms: `rate=100` for 100 pictures per second on average, and perhaps `burst=200` for 200 at once.
        place: Where they stand, for errors.
        before: The quota that the token had until now. If it is the same, it goes on counting.

    Returns:
        The quota; None if there are no terms.

    Raises:
        ConfigError: They are malformed. The message never quotes them: they may be the rest of a token.
    """
    if not fields:
        return None
    found = [_TERM.fullmatch(each) for each in fields]
    numbers = {term[1]: float(term[2]) for term in found if term}
    if len(numbers) < len(fields) or "rate" not in numbers or min(numbers.values()) <= 0:
        raise ConfigError(
            f"{place}: expected a token without spaces and, behind it, nothing or a quota such as rate=100 burst=200 "
            "(pictures per second and at once, above 0)"
        )
    rate = numbers["rate"]
    quota = Quota(role.name.lower(), rate, numbers.get("burst", max(1.0, rate * BURST_SECONDS)))
    return before if quota == before else quota
