"""Documents that were published with a version, as far as they can be read.

They come from a repository that others may write to, so nothing about them is certain: a field that is missing, of
another kind, or beyond all measure counts as not known, and the page shows what is left.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

__all__ = ["LONGEST_TEXT", "DamagedDocumentError", "Loose", "parsed"]

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes of JSON that are read. A manifest has some ten thousand, and a history a thousand for each epoch."""

LONGEST_TEXT = 500
"""Characters of a text that a page shows."""

LARGEST_COUNT = 2**53
"""Anything counted is fewer."""

UNKNOWN = "–"
"""What stands for a value that is not there."""


class DamagedDocumentError(Exception):
    """A document cannot be read at all."""


def parsed(data: bytes) -> "Loose":
    """A JSON document.

    Raises:
        DamagedDocumentError: It is none, or too large.
    """
    if len(data) > LARGEST_DOCUMENT:
        raise DamagedDocumentError(f"{len(data):,} bytes")
    try:
        return Loose(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise DamagedDocumentError(type(error).__name__) from None


@dataclass(frozen=True)
class Loose:
    """A value of a JSON document, of any kind."""

    value: Any

    def at(self, *names: str) -> "Loose":
        """The value of a field of a field; of nothing where there is none."""
        value = self.value
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return Loose(value)

    @property
    def is_there(self) -> bool:
        """Whether there is any value."""
        return self.value is not None

    def text(self) -> str:
        """It as a text for people; "" if it is none."""
        return _shown(self.value) if isinstance(self.value, str) else ""

    def number(self) -> float | None:
        """It as a finite number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        if isinstance(self.value, int) and abs(self.value) > LARGEST_COUNT:
            return None
        return float(self.value) if isfinite(self.value) else None

    def share(self) -> float | None:
        """It as a number from 0 to 1."""
        number = self.number()
        return number if number is not None and 0 <= number <= 1 else None

    def count(self) -> int | None:
        """It as a number of things."""
        number = self.number()
        return int(number) if number is not None and number >= 0 and number == int(number) else None

    def truth(self) -> bool | None:
        """It as yes or no."""
        return self.value if isinstance(self.value, bool) else None

    def interval(self) -> tuple[float, float] | None:
        """It as two shares, the smaller one first."""
        ends = [end.share() for end in self.items(2)]
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None and ends[0] <= ends[1]:
            return ends[0], ends[1]
        return None

    def moment(self) -> datetime | None:
        """It as a time, in UTC."""
        try:
            at = datetime.fromisoformat(self.text())
            return at.astimezone(UTC) if at.tzinfo else None
        except (ValueError, OverflowError):
            return None

    def items(self, most: int) -> list["Loose"]:
        """The first items of a list; none if it is no list."""
        return [Loose(item) for item in self.value[:most]] if isinstance(self.value, list) else []

    def fields(self, most: int) -> list[tuple[str, "Loose"]]:
        """The first fields of an object with their names; none if it is no object."""
        pairs = list(self.value.items())[:most] if isinstance(self.value, dict) else []
        return [(_shown(name), Loose(value)) for name, value in pairs]

    def leaves(self, most: int) -> list[tuple[str, str]]:
        """Everything in an object: where it is, such as `train.epochs`, and its value as a text."""
        found: list[tuple[str, str]] = []
        waiting = [(name, field) for name, field in reversed(self.fields(most))]
        while waiting and len(found) < most:
            place, one = waiting.pop()
            inner = one.fields(most)
            if inner and len(place) < LONGEST_TEXT:
                waiting += [(f"{place}.{name}", field) for name, field in reversed(inner)]
            else:
                found.append((_shown(place), one.written()))
        return found

    def written(self) -> str:
        """It as a text, whatever it is."""
        if isinstance(self.value, str):
            return self.text()
        if isinstance(self.value, list):
            listed = ", ".join(item.written() for item in self.items(20) if not isinstance(item.value, list))
            return _shown(listed + (", …" if len(self.value) > 20 else "")) or UNKNOWN
        if self.value is None:
            return UNKNOWN
        if isinstance(self.value, dict):
            return _shown(", ".join(f"{name}: {_plain(field.value)}" for name, field in self.fields(20))) or UNKNOWN
        return _plain(self.value)


def _plain(value: Any) -> str:
    """One that is neither a list nor an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}" if isfinite(value) else UNKNOWN
    if isinstance(value, int):
        return str(value) if abs(value) <= LARGEST_COUNT else UNKNOWN
    return _shown(value) if isinstance(value, str) else UNKNOWN if value is None else "…"


def _shown(text: str) -> str:
    """A text of one line that can be encoded and is not too long."""
    cut = text[:LONGEST_TEXT] + "…" if len(text) > LONGEST_TEXT else text
    # Half a surrogate pair, which JSON can spell and UTF-8 cannot; and what would turn around or hide what follows.
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in cut)
